import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { McapWriter } from "@mcap/core";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { createRecording } from "../../../src/streams/record/recording-writer.ts";
import { WholeFileWritable } from "../../../src/streams/record/whole-file-writable.ts";
import {
  type OpenRecordingOptions,
  openRecording,
} from "../../../src/streams/replay/recording-reader.ts";
import { encodeItem, itemSchema } from "../../../src/wire/item-codec.ts";
import { messageType } from "../../../src/wire/schema.ts";
import {
  anyItem,
  audioEvent,
  dvsEvent,
  marker,
  scalarEvent,
  videoEvent,
} from "../../wire/stream-items.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-reader-"));
  path = join(folder, "a.mcap");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Received {
  readonly item: StreamItem;
  readonly receivedUs: number;
}

async function record(
  items: readonly Received[],
  compression: "zstd" | "none" = "zstd",
): Promise<void> {
  const recording = await createRecording(path, { metadata: { name: "a" }, compression });
  for (const { item, receivedUs } of items) await recording.write(item, receivedUs);
  await recording.close();
}

async function readAll(
  order: "received" | "event" = "received",
  options: OpenRecordingOptions = {},
): Promise<Received[]> {
  const recording = await openRecording(path, options);
  try {
    const all: Received[] = [];
    for await (const batch of recording.items(order)) {
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(256);
      all.push(...batch.map(({ item, receivedUs }) => ({ item, receivedUs })));
    }
    return all;
  } finally {
    await recording.close();
  }
}

/** A recording as another tool would write it: no metadata, one message per schema and bytes. */
async function recordForeign(
  messages: readonly { topic: string; schema: string; encoding: string; data: Uint8Array }[],
): Promise<void> {
  const file = await open(path, "w");
  const writer = new McapWriter({ writable: new WholeFileWritable(file) });
  await writer.start();
  for (const [i, { topic, schema, encoding, data }] of messages.entries()) {
    const schemaId = await writer.registerSchema({
      name: schema,
      encoding,
      data: new Uint8Array(),
    });
    const channelId = await writer.registerChannel({
      schemaId,
      topic,
      messageEncoding: encoding,
      metadata: new Map(),
    });
    const logTime = BigInt(i) * 1_000_000n + 999n;
    await writer.addMessage({ channelId, sequence: i, logTime, publishTime: logTime, data });
  }
  await writer.end();
  await file.close();
}

test.each(["zstd", "none"] as const)(
  "openRecording gives back every item written with %s",
  async (compression) => {
    const items = fc
      .sample(fc.tuple(anyItem, fc.nat(1000)), { numRuns: 300, seed: 7 })
      .map(([item, receivedUs]) => ({ item, receivedUs }));
    await record(items, compression);
    const back = await readAll();
    expect(back.map(({ receivedUs }) => receivedUs)).toEqual(
      items.map(({ receivedUs }) => receivedUs).sort((a, b) => a - b),
    );
    const key = ({ item }: Received) => `${item.kind} ${item.timeUs} ${item.seq}`;
    const sorted = (all: readonly Received[]) => all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted(back)).toEqual(sorted(items));
  },
);

test("items orders equal receive times by priority, then sequence", async () => {
  const items = [dvsEvent(1), dvsEvent(0), videoEvent(0), audioEvent(0), marker(0)];
  await record(items.map((item) => ({ item, receivedUs: 5 })));
  const back = (await readAll()).map(({ item }) => `${item.kind} ${item.seq}`);
  expect(back).toEqual(["marker 0", "audio 0", "video 0", "dvs 0", "dvs 1"]);
});

test("items in event order undoes lateness", async () => {
  const delays = fc.sample(fc.nat(3_000_000), { numRuns: 2200, seed: 3 });
  const items = delays.map((delayUs, seq) => ({
    item: seq % 3 === 0 ? videoEvent(seq, seq * 1000) : scalarEvent(seq, seq * 1000),
    receivedUs: seq * 1000 + delayUs,
  }));
  await record(items);
  const back = await readAll("event");
  expect(back.map(({ item }) => item.seq)).toEqual(items.map((_, seq) => seq));
});

test("openRecording tells sensors, sizes, counts, metadata and receive times", async () => {
  await record([
    { item: marker(), receivedUs: 1 },
    { item: audioEvent(0), receivedUs: 2 },
    { item: audioEvent(1), receivedUs: 9 },
    { item: dvsEvent(0), receivedUs: 3 },
  ]);
  const recording = await openRecording(path);
  await recording.close();
  expect(recording).toMatchObject({
    metadata: { name: "a" },
    firstReceivedUs: 1,
    lastReceivedUs: 9,
  });
  expect(recording.channels).toMatchObject([
    { kind: "marker", stream: "scene", topic: "/scene/markers", count: 1 },
    { kind: "audio", sensor: "audio", size: 39, convention: "mfcc39/psf-hamming/v1", count: 2 },
    { kind: "dvs", sensor: "dvs", width: 34, height: 34, count: 1 },
  ]);
});

test("openRecording opens an empty recording", async () => {
  await record([]);
  expect(await readAll()).toEqual([]);
});

test("openRecording refuses a file that is not there", async () => {
  await expect(openRecording(path)).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    message: `Cannot open recording ${path}: there is no such file`,
  });
});

test.each([
  ["", "byte 0 must start an MCAP (894d434150300d0a), got nothing"],
  ["This is no recording, only a text.", "byte 0 must start an MCAP (894d434150300d0a), got 5468"],
])("openRecording refuses the text %j", async (text, reason) => {
  await writeFile(path, text);
  await expect(openRecording(path)).rejects.toMatchObject({
    code: "BAD_RECORDING",
    message: expect.stringContaining(reason),
  });
});

test("openRecording refuses a recording cut anywhere", async () => {
  await record([{ item: videoEvent(), receivedUs: 0 }]);
  const { length } = await readFile(path);
  for (const size of [8, 9, 16, 100, length >> 1, length - 1]) {
    await truncate(path, size);
    await expect(openRecording(path)).rejects.toMatchObject({ code: "BAD_RECORDING" });
    await record([{ item: videoEvent(), receivedUs: 0 }]);
  }
  await truncate(path, length - 1);
  await expect(openRecording(path)).rejects.toThrow(
    `it is truncated: byte ${length - 9} must close`,
  );
});

test("items names the byte where a chunk is damaged", async () => {
  await record(
    Array.from({ length: 200 }, (_, seq) => ({ item: videoEvent(seq, seq), receivedUs: seq })),
    "none",
  );
  const bytes = await readFile(path);
  bytes[250_000] = bytes[250_000]! ^ 1;
  await writeFile(path, bytes);
  await expect(readAll()).rejects.toMatchObject({
    code: "BAD_RECORDING",
    message: expect.stringMatching(/at byte \d+: chunk CRC must be \d+, got/),
  });
});

test("openRecording or items refuses any single flipped byte or reads the same items", async () => {
  await record([
    { item: audioEvent(), receivedUs: 0 },
    { item: dvsEvent(), receivedUs: 1 },
  ]);
  const intact = await readFile(path);
  const items = await readAll();
  for (let at = 0; at < intact.length; at += 37) {
    const bytes = Buffer.from(intact);
    bytes[at] = bytes[at]! ^ 0x55;
    await writeFile(path, bytes);
    const outcome = await readAll().catch((error: unknown) => error);
    if (Array.isArray(outcome)) expect(outcome).toEqual(items);
    else expect(outcome).toMatchObject({ code: expect.stringMatching(/^BAD_(RECORDING|EVENT)$/) });
  }
});

test("items names topic, log time and sequence of a message that does not decode", async () => {
  const { name } = itemSchema("audio");
  const type = messageType(name);
  const values = [1, Number.NaN];
  const data = type.encode({ ...type.decode(encodeItem(audioEvent())), values }).finish();
  const good = {
    topic: "/mic",
    schema: name,
    encoding: "protobuf",
    data: encodeItem(audioEvent()),
  };
  await recordForeign([good, { ...good, topic: "/mic2", data }]);
  await expect(readAll()).rejects.toMatchObject({
    code: "BAD_EVENT",
    message: `${path}, topic /mic2, log time 1000 µs, sequence 1: Cannot decode polyphase.v1.FeatureFrame: values[1] must be finite, got NaN`,
  });
});

test("openRecording reads other tools' recordings into the stream default", async () => {
  const schema = itemSchema("video").name;
  await recordForeign([
    { topic: "/camera/left", schema, encoding: "protobuf", data: encodeItem(videoEvent()) },
  ]);
  const [only] = await readAll();
  expect(only?.item).toEqual({ ...videoEvent(), stream: "default", sensor: "camera/left" });
});

test("openRecording refuses unknown schemas, or leaves them out and says how many", async () => {
  const schema = itemSchema("video").name;
  await recordForeign([
    { topic: "/imu", schema: "sensor_msgs/msg/Imu", encoding: "cdr", data: new Uint8Array(4) },
    { topic: "/camera", schema, encoding: "protobuf", data: encodeItem(videoEvent()) },
  ]);
  await expect(openRecording(path)).rejects.toThrow(
    "topic /imu has unknown schema sensor_msgs/msg/Imu (cdr)",
  );
  const recording = await openRecording(path, { skipUnknown: true });
  await recording.close();
  expect(recording.unknownChannels).toMatchObject([{ topic: "/imu", count: 1 }]);
  expect(await readAll("received", { skipUnknown: true })).toHaveLength(1);
});
