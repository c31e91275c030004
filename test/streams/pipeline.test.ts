import { setTimeout as delay } from "node:timers/promises";
import { from, type Observable, of, Subject, throwError, VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import type { AheadEncoder } from "../../src/fusion/encoder.ts";
import type { Prediction } from "../../src/fusion/prediction.ts";
import { PolyphaseError } from "../../src/sensors/polyphase-error.ts";
import type { StreamItem } from "../../src/sensors/sensor-event.ts";
import { stateHash } from "../../src/state/checkpoint.ts";
import {
  type PipelineOptions,
  type PipelineResult,
  runPipeline,
} from "../../src/streams/pipeline.ts";
import type { Sink } from "../../src/streams/sink.ts";
import type { Delivery } from "../../src/streams/source.ts";
import { deliveriesOf, dvs, marker, scalar } from "./items.ts";
import { testModel } from "./test-model.ts";

class MemorySink implements Sink {
  readonly predictions: Prediction[] = [];
  closed = 0;
  write(predictions: readonly Prediction[]): void {
    this.predictions.push(...predictions);
  }
  async close(): Promise<void> {
    this.closed++;
  }
}

const someItems: readonly StreamItem[] = [
  marker("session-start", 0),
  dvs("eye", [100, 200, 200, 900], 0),
  scalar("imu", 200, 0),
  scalar("imu", 700, 1),
  marker("segment-end", 1000, "x"),
  dvs("eye", [1000, 1500], 1),
  scalar("imu", 1600, 2),
];

async function run(
  items: Observable<Delivery>,
  sink: Sink,
  more: Partial<PipelineOptions> = {},
): Promise<PipelineResult> {
  return runPipeline({
    source: { open: () => items },
    model: testModel(),
    sink,
    merge: () => ({
      sensors: [
        { name: "imu", latenessUs: 0 },
        { name: "eye", latenessUs: 0 },
      ],
      waitingMax: 100,
    }),
    onMalformed: "fail",
    ...more,
  });
}

describe("runPipeline()", () => {
  it("fuses every event, predicts every tick and acknowledges everything once", async () => {
    const { deliveries, acknowledged } = deliveriesOf(someItems);
    const sink = new MemorySink();
    const { counts, streams } = await run(from(deliveries), sink);
    expect(counts.taken).toBe(11);
    expect(counts.fused).toBe(11);
    expect(counts.waiting).toBe(0);
    expect([...acknowledged].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const times = sink.predictions.map(({ timeUs }) => timeUs);
    expect(times).toEqual([100, 200, 700, 900, 1000, 1500, 1600]);
    expect(streams.get("s")!.state.progress.ticks).toBe(7);
    expect(sink.closed).toBe(1);
  });

  it("gives predictions with label, probabilities and the age of each sensor", async () => {
    const sink = new MemorySink();
    await run(from(deliveriesOf(someItems).deliveries), sink);
    const { ageUs, label, values, head, role, stream, tick } = sink.predictions[2]!;
    expect({ head, role, stream, tick }).toEqual({
      head: "every-tick",
      role: "every-tick",
      stream: "s",
      tick: 3,
    });
    expect(ageUs).toEqual({ imu: 0, eye: 500 });
    expect(["x", "y"]).toContain(label);
    expect(values[0]! + values[1]!).toBeCloseTo(1, 6);
  });

  it("is the same bits in dense mode, and with a slow encoder in between", async () => {
    const results = [];
    for (const variant of ["sparse", "dense", "slow"] as const) {
      const sink = new MemorySink();
      const model = testModel();
      const imu = model.encoders[0]!;
      const slow: AheadEncoder = {
        mode: "ahead",
        name: "slow",
        size: 1,
        validate: () => undefined,
        compute: async (event) => {
          await delay(event.seq === 0 ? 20 : 1);
          const out = new Float32Array(1);
          if (imu.mode === "direct") imu.encode(out, event, 0);
          return out;
        },
      };
      const withSlow = { ...model, encoders: [slow, model.encoders[1]!] };
      const used = variant === "slow" ? withSlow : model;
      const { streams } = await run(from(deliveriesOf(someItems).deliveries), sink, {
        model: used,
        mode: variant === "dense" ? "dense" : "sparse",
      });
      results.push(JSON.stringify(sink.predictions), stateHash(streams, used));
    }
    expect(results.slice(2, 4)).toEqual(results.slice(0, 2));
    expect(results.slice(4, 6)).toEqual(results.slice(0, 2));
  });

  it("fails with the first slow encoder that fails, and applies nothing behind it", async () => {
    const model = testModel();
    const slow: AheadEncoder = {
      ...{ mode: "ahead", name: "slow", size: 1, validate: () => undefined },
      compute: async ({ seq }) => {
        await delay(seq === 1 ? 5 : 20);
        if (seq > 0) throw new Error(`frame ${seq} is broken`);
        return new Float32Array(1);
      },
    };
    const sink = new MemorySink();
    const failing = run(from(deliveriesOf(someItems).deliveries), sink, {
      model: { ...model, encoders: [slow, model.encoders[1]!] },
    });
    await expect(failing).rejects.toThrow("frame 1 is broken");
    const { length } = sink.predictions;
    await delay(40);
    expect(sink.predictions.length).toBe(length);
    expect(sink.predictions.every(({ timeUs }) => timeUs < 200)).toBe(true);
    expect(sink.closed).toBe(1);
  });

  it.each([
    ["on-change", (all: number) => all > 0 && all < 7],
    ["last", (all: number) => all === 1],
    ["per-segment", (all: number) => all === 1],
  ])("predicts by the role %s", async (role, holds) => {
    const sink = new MemorySink();
    await run(from(deliveriesOf(someItems).deliveries), sink, { model: testModel([role]) });
    expect(holds(sink.predictions.length), `${sink.predictions.length} predictions`).toBe(true);
    if (role === "last") expect(sink.predictions[0]!.timeUs).toBe(1600);
    if (role === "per-segment") expect(sink.predictions[0]!.timeUs).toBe(1000);
    if (role === "on-change") {
      const labels = sink.predictions.map(({ label }) => label);
      expect(labels.every((label, i) => label !== labels[i - 1])).toBe(true);
    }
  });

  it("begins anew at a session start", async () => {
    const once = new MemorySink();
    await run(from(deliveriesOf([scalar("imu", 100), dvs("eye", [350])]).deliveries), once);
    const twice = new MemorySink();
    const items = [
      ...someItems,
      marker("session-start", 10_000),
      scalar("imu", 10_100, 3, 0.1),
      dvs("eye", [10_350], 2),
    ];
    const first = [marker("session-start", 0), scalar("imu", 100, 0, 0.1), dvs("eye", [350])];
    const alone = new MemorySink();
    await run(from(deliveriesOf(first).deliveries), alone);
    await run(from(deliveriesOf(items).deliveries), twice);
    const values = (sink: MemorySink) => sink.predictions.slice(-2).map(({ values: v }) => v);
    // The packet's pixel depends on its time modulo 4: 350 and 10,350 are alike.
    expect(values(twice)).toEqual(values(alone));
    expect(once.predictions).toHaveLength(2);
  });

  it("fails on a malformed event, or drops and counts it", async () => {
    const bad = { ...scalar("imu", 300, 9), values: Float32Array.of(Number.NaN) };
    const items = [...someItems.slice(0, 3), bad, ...someItems.slice(3)];
    await expect(run(from(deliveriesOf(items).deliveries), new MemorySink())).rejects.toThrow(
      "Cannot use event of sensor imu at 300 µs (stream s, seq 9): expected finite values, got NaN at index 0",
    );
    const { deliveries, acknowledged } = deliveriesOf(items);
    const { counts } = await run(from(deliveries), new MemorySink(), { onMalformed: "drop" });
    expect(counts.dropped).toEqual({ malformed: 1 });
    expect(counts.taken).toBe(12);
    expect(counts.waiting).toBe(0);
    expect(acknowledged).toHaveLength(items.length);
  });

  it("waits for a slow sink before it acknowledges", async () => {
    const order: string[] = [];
    const items = [scalar("imu", 1), scalar("imu", 2, 1), dvs("eye", [3]), scalar("imu", 4, 2)];
    const deliveries = items.map((item, i) => {
      return { item, acknowledge: () => order.push(`ack ${i}`) };
    });
    const sink: Sink = {
      write: async ([prediction]) => {
        await delay(3);
        order.push(`wrote ${prediction!.timeUs}`);
      },
      close: async () => {
        order.push("closed");
      },
    };
    await run(from(deliveries), sink);
    expect(order).toEqual([
      ...["wrote 1", "ack 0", "wrote 2", "ack 1", "wrote 3", "ack 2", "wrote 4", "ack 3"],
      "closed",
    ]);
  });

  it("passes on what the source, the sink or the tap fails with, and closes the sink", async () => {
    const sourceError = new PolyphaseError("BAD_RECORDING", "broken at byte 7");
    const sink = new MemorySink();
    await expect(
      run(
        throwError(() => sourceError),
        sink,
      ),
    ).rejects.toBe(sourceError);
    expect(sink.closed).toBe(1);
    const full: Sink = {
      write: () => {
        throw new Error("disk full");
      },
      close: async () => undefined,
    };
    const items = from(deliveriesOf(someItems).deliveries);
    await expect(run(items, full)).rejects.toThrow("disk full");
    const tap = (): void => {
      throw new Error("tap failed");
    };
    await expect(run(items, new MemorySink(), { tap })).rejects.toThrow("tap failed");
  });

  it("drains what is in flight when it is stopped", async () => {
    const stop = new AbortController();
    const source = new Subject<Delivery>();
    const sink = new MemorySink();
    const running = run(source, sink, { stop: stop.signal });
    const { deliveries, acknowledged } = deliveriesOf(someItems.slice(0, 4));
    for (const delivery of deliveries) source.next(delivery);
    stop.abort();
    await running;
    expect(acknowledged).toHaveLength(4);
    expect(sink.predictions.at(-1)!.timeUs).toBe(900);
    expect(source.observed).toBe(false);
  });

  it("maps clocks before it merges, and gives up sensors that are idle", async () => {
    const scheduler = new VirtualTimeScheduler();
    const source = new Subject<Delivery>();
    const sink = new MemorySink();
    const running = run(source, sink, {
      clocks: { mode: (_, sensor) => (sensor === "eye" ? "offset" : "trusted") },
      idle: { sensors: () => [{ name: "eye", idleUs: 50_000 }], scheduler },
    });
    const acknowledge = (): void => undefined;
    source.next({ item: dvs("eye", [7_000_100]), receivedUs: 100, acknowledge });
    source.next({ item: scalar("imu", 200), receivedUs: 200, acknowledge });
    source.next({ item: scalar("imu", 300, 1), receivedUs: 300, acknowledge });
    expect(sink.predictions.map(({ timeUs }) => timeUs)).toEqual([]);
    scheduler.flush();
    expect(sink.predictions.map(({ timeUs }) => timeUs)).toEqual([100, 200]);
    source.complete();
    const { counts } = await running;
    expect(counts.anomalies).toEqual({ "sensor-idle": 1 });
    expect(counts.waiting).toBe(0);
  });

  it("has nothing to say of an empty source", async () => {
    const sink = new MemorySink();
    const { streams } = await run(of(), sink);
    expect(streams.size).toBe(0);
    expect(sink.predictions).toEqual([]);
  });
});
