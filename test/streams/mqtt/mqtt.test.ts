import { setTimeout as sleep } from "node:timers/promises";
import { from, Subject } from "rxjs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Prediction } from "../../../src/fusion/prediction.ts";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { connectMqtt } from "../../../src/streams/mqtt/mqtt-connection.ts";
import { connectMqttSink } from "../../../src/streams/mqtt/mqtt-sink.ts";
import { type MqttSourceOptions, mqttSource } from "../../../src/streams/mqtt/mqtt-source.ts";
import { publishItems } from "../../../src/streams/mqtt/publish-items.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { EventCounts } from "../../../src/telemetry/event-counts.ts";
import { deliveriesOf, dvs, marker, scalar } from "../items.ts";
import { hasMosquitto, Mosquitto } from "./mosquitto.ts";

const prefix = "test/sensors";

describe.skipIf(!hasMosquitto)("MQTT, through a real Mosquitto", () => {
  let broker: Mosquitto;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    broker = await Mosquitto.start();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  afterAll(() => broker.stop());

  interface Listener {
    readonly received: Delivery[];
    readonly counts: EventCounts;
    readonly problems: string[];
  }

  /** Subscribes and waits until the broker knows. */
  async function listen(options: Partial<MqttSourceOptions> = {}): Promise<Listener> {
    const received: Delivery[] = [];
    const problems: string[] = [];
    const counts = new EventCounts();
    await new Promise<void>((resolve, reject) => {
      const subscription = mqttSource({
        broker: { url: broker.url },
        prefix,
        channel: (stream, sensor) => ({ stream, sensor }),
        inFlightMax: 1000,
        counts,
        onMalformed: (error, topic) => problems.push(`${topic}: ${error.message}`),
        onReady: resolve,
        nowUs: () => 7,
        ...options,
      })
        .open()
        .subscribe({ next: (delivery) => received.push(delivery), error: reject });
      ends.push(() => subscription.unsubscribe());
    });
    return { received, counts, problems };
  }

  function publish(items: readonly StreamItem[]): Promise<number> {
    return publishItems(from(deliveriesOf(items).deliveries), {
      broker: { url: broker.url },
      prefix,
    });
  }

  it("carries every kind of item as it is, with the transport's sequence numbers", async () => {
    const { received } = await listen();
    const items = [
      marker("session-start", 0, "a"),
      scalar("imu", 10, 4, 1, 2.5),
      dvs("eye", [11, 12, 12], 3),
      { ...frame(), seq: 99 },
      { ...frame(), seq: 100, convention: "crop/fixed-1,2,3,4/v1" },
    ];
    expect(await publish(items)).toBe(5);
    await vi.waitFor(() => expect(received).toHaveLength(5));
    expect(received.map(({ item }) => item)).toEqual(items);
    expect(received.every(({ receivedUs }) => receivedUs === 7)).toBe(true);
  });

  it("takes the stream from the topic and its length from the channel, and goes on after bad ones", async () => {
    const channel = (stream: string, sensor: string) => ({ stream, sensor, size: 2 });
    const { received, counts, problems } = await listen({ channel });
    const client = await connectMqtt({ url: broker.url });
    ends.push(() => client.endAsync());
    await client.publishAsync(`${prefix}/s/imu/scalars/pb`, "not protobuf", { qos: 1 });
    await client.publishAsync(`${prefix}/s/imu/nonsense/pb`, "", { qos: 1 });
    await publish([scalar("imu", 1, 0, 1, 2, 3), scalar("imu", 2, 1, 1, 2)]);
    await vi.waitFor(() => expect(received).toHaveLength(1));
    expect(received[0]!.item).toMatchObject({ stream: "s", seq: 1 });
    expect(counts.dropped).toEqual({ malformed: 3 });
    expect(counts.taken).toBe(3);
    expect(problems).toHaveLength(3);
    expect(problems[2]).toMatch(/^test\/sensors\/s\/imu\/scalars\/pb: .*2.*3/);
  });

  it("leaves other streams to others", async () => {
    const { received } = await listen({ streams: ["a", "b/c"] });
    const streams = ["a", "x", "b/c"];
    await publish(streams.map((stream, i) => ({ ...scalar("imu", i), stream })));
    await vi.waitFor(() => expect(received).toHaveLength(2));
    expect(received.map(({ item }) => item.stream)).toEqual(["a", "b/c"]);
  });

  it("reads no further than its places in flight, and goes on as they are freed", async () => {
    const { received } = await listen({ inFlightMax: 5 });
    await publish(Array.from({ length: 50 }, (_, i) => scalar("imu", i, i)));
    await vi.waitFor(() => expect(received).toHaveLength(5));
    await sleep(200);
    expect(received).toHaveLength(5);
    for (let i = 0; i < 50; i++) {
      await vi.waitFor(() => expect(received.length).toBeGreaterThan(i));
      received[i]!.acknowledge();
      expect(received.length).toBeLessThanOrEqual(i + 6);
    }
    expect(received.map(({ item }) => item.seq)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it("publishes a prediction as its NDJSON line", async () => {
    const client = await connectMqtt({ url: broker.url });
    ends.push(() => client.endAsync());
    const lines: string[] = [];
    client.on("message", (topic, payload) => lines.push(`${topic} ${payload.toString("utf8")}`));
    await client.subscribeAsync("out/#", { qos: 1 });
    const sink = await connectMqttSink({ broker: { url: broker.url }, prefix: "out" });
    await sink.write([prediction(1), prediction(2)]);
    await sink.close();
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    expect(lines).toEqual([1, 2].map((tick) => `out/lab%2F1 ${JSON.stringify(prediction(tick))}`));
  });

  it("finds the broker again after it was killed, and loses no prediction meanwhile", async () => {
    const fragile = await Mosquitto.start();
    ends.push(() => fragile.stop());
    const states: string[] = [];
    const url = fragile.url;
    const { received } = await listen({
      broker: { url, random: () => 0.5, onState: (state) => states.push(state) },
    });
    const sink = await connectMqttSink({ broker: { url }, prefix: "out" });
    await fragile.kill();
    await vi.waitFor(() => expect(states).toEqual(["lost"]));
    const written = sink.write([prediction(1)]);
    await fragile.resume();
    await written;
    await vi.waitFor(() => expect(states).toEqual(["lost", "found"]), { timeout: 5000 });
    const options = { broker: { url }, prefix };
    const items = new Subject<Delivery>();
    const published = publishItems(items, options);
    await vi.waitFor(() => {
      items.next({ item: scalar("imu", 1), acknowledge: () => undefined });
      expect(received.length).toBeGreaterThan(0);
    });
    items.complete();
    await published;
    await sink.close();
  });

  it("says that predictions are left over when the broker is gone for good", async () => {
    const fragile = await Mosquitto.start();
    const sink = await connectMqttSink({
      broker: { url: fragile.url },
      prefix: "out",
      closeTimeoutMs: 100,
    });
    await fragile.stop();
    const written = Promise.resolve(sink.write([prediction(1)]));
    written.catch(() => undefined);
    await expect(sink.close()).rejects.toThrow(/1 predictions were not taken by mqtt:\/\/127/);
  });

  it("says how many items were left over when the broker is gone for good", async () => {
    const fragile = await Mosquitto.start();
    const items = new Subject<Delivery>();
    const options = { broker: { url: fragile.url }, prefix, closeTimeoutMs: 100 };
    const published = publishItems(items, options);
    await vi.waitFor(() => expect(items.observed).toBe(true));
    await fragile.stop();
    items.next({ item: scalar("imu", 1), acknowledge: () => undefined });
    items.complete();
    await expect(published).rejects.toThrow(/1 items were not taken by mqtt:\/\/127/);
  });

  it("gives up an address without a broker after its time", async () => {
    const attempt = connectMqtt({ url: "mqtt://127.0.0.1:9", connectTimeoutMs: 300 });
    await expect(attempt).rejects.toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringMatching(/mqtt:\/\/127.0.0.1:9: .*ECONNREFUSED.*tried for 0.3 s/),
    });
    await expect(connectMqtt({ url: "http://x" })).rejects.toThrow(/mqtt:\/\/host/);
  });

  it("gives up at once where it is not let in, and never shows the password", async () => {
    const guarded = await Mosquitto.start({ edge: "secret" });
    ends.push(() => guarded.stop());
    const client = await connectMqtt({ url: guarded.url, username: "edge", password: "secret" });
    await client.endAsync();
    const url = guarded.url.replace("mqtt://", "mqtt://edge:wrong@");
    const failure = await connectMqtt({ url }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    expect(String(failure)).toMatch(/Not authorized/i);
    expect(String(failure)).not.toContain("wrong");
  });
});

function frame(): StreamItem {
  const pixels = Uint8Array.from({ length: 12 }, (_, i) => i);
  return {
    kind: "video",
    stream: "s",
    sensor: "cam",
    timeUs: 20,
    seq: 0,
    width: 4,
    height: 3,
    pixels,
  };
}

function prediction(tick: number): Prediction {
  return {
    stream: "lab/1",
    head: "h",
    role: "every-tick",
    timeUs: tick * 10,
    tick,
    held: false,
    values: [0.25, 0.75],
    ageUs: { imu: 0 },
  };
}
