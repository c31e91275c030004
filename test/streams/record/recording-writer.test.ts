import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import zstd from "@foxglove/wasm-zstd";
import { McapWriter } from "@mcap/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { channelMetadata, channelOf } from "../../../src/streams/record/recording-channel.ts";
import { createRecording } from "../../../src/streams/record/recording-writer.ts";
import { WholeFileWritable } from "../../../src/streams/record/whole-file-writable.ts";
import { openRecording } from "../../../src/streams/replay/recording-reader.ts";
import { encodeItem, itemSchema } from "../../../src/wire/item-codec.ts";
import { audioEvent, dvsEvent, marker, scalarEvent, videoEvent } from "../../wire/stream-items.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-writer-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const someItems = [marker(), audioEvent(), videoEvent(), dvsEvent(), scalarEvent()];

async function writeAll(path: string, compression: "zstd" | "none"): Promise<void> {
  const recording = await createRecording(path, { metadata: { name: "a" }, compression });
  for (const item of someItems) await recording.write(item, item.timeUs + 60_000);
  await recording.close();
}

async function messageCount(path: string): Promise<number | undefined> {
  const recording = await openRecording(path);
  await recording.close();
  return recording.channels[0]?.count;
}

test("createRecording keeps each message once when writes are not awaited", async () => {
  const path = join(folder, "a.mcap");
  const recording = await createRecording(path, { compression: "none" });
  // Far more than one chunk.
  for (let seq = 0; seq < 800; seq++) void recording.write(videoEvent(seq, seq * 40_000), seq);
  await recording.close();
  expect(await messageCount(path)).toBe(800);
  expect((await readFile(path)).byteLength).toBeLessThan(800 * 2500);
});

test("createRecording makes equal bytes of equal items, awaited or not", async () => {
  await writeAll(join(folder, "a.mcap"), "zstd");
  const path = join(folder, "b.mcap");
  const recording = await createRecording(path, { metadata: { name: "a" } });
  for (const item of someItems) void recording.write(item, item.timeUs + 60_000);
  await recording.close();
  expect(await readFile(path)).toEqual(await readFile(join(folder, "a.mcap")));
});

/** The same recording by @mcap/core's own writer, one call after the other. */
async function writtenByMcapWriter(
  items: readonly StreamItem[],
  compression: "zstd" | "none",
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let position = 0;
  const compressChunk = (chunk: Uint8Array) => ({
    compression: "zstd",
    compressedData: zstd.compress(chunk, 1),
  });
  const writer = new McapWriter({
    writable: {
      write: async (bytes) => {
        pieces.push(bytes);
        position += bytes.byteLength;
      },
      position: () => BigInt(position),
    },
    chunkSize: 128 * 1024,
    ...(compression === "zstd" ? { compressChunk } : {}),
  });
  await writer.start({ profile: "polyphase", library: "polyphase" });
  await writer.addMetadata({ name: "polyphase.recording", metadata: new Map([["name", "a"]]) });
  const channelIds = new Map<string, number>();
  for (const item of items) {
    const { topic } = channelOf(item);
    const { name, encoding, schemaEncoding, data } = itemSchema(item.kind);
    if (!channelIds.has(topic)) {
      const schema = { name, encoding: schemaEncoding, data: data() };
      const channel = {
        schemaId: await writer.registerSchema(schema),
        topic,
        messageEncoding: encoding,
        metadata: channelMetadata(channelOf(item)),
      };
      channelIds.set(topic, await writer.registerChannel(channel));
    }
    await writer.addMessage({
      channelId: channelIds.get(topic)!,
      sequence: item.seq,
      logTime: BigInt(item.timeUs + 60_000) * 1000n,
      publishTime: BigInt(item.timeUs) * 1000n,
      data: encodeItem(item),
    });
  }
  await writer.end();
  return Buffer.concat(pieces);
}

for (const compression of ["none", "zstd"] as const) {
  test(`createRecording writes the bytes that McapWriter writes, ${compression}`, async () => {
    // Some chunks, whose times overlap, in which not all channels occur.
    const pictures = Array.from({ length: 300 }, (_, seq) => videoEvent(seq, (seq % 7) * 40_000));
    const items = [...someItems, ...pictures, dvsEvent(), ...pictures, audioEvent()];
    for (const [name, part] of Object.entries({ all: items, few: someItems, none: [] })) {
      const path = join(folder, `${name}.mcap`);
      const recording = await createRecording(path, { metadata: { name: "a" }, compression });
      for (const item of part) void recording.write(item, item.timeUs + 60_000);
      await recording.close();
      const expected = await writtenByMcapWriter(part, compression);
      // Thirty times as fast as toEqual.
      expect(expected.equals(await readFile(path)), name).toBe(true);
    }
  });
}

test("createRecording shows nothing under its name before it is complete", async () => {
  const path = join(folder, "a.mcap");
  const recording = await createRecording(path);
  await recording.write(audioEvent(), 0);
  expect(await readdir(folder)).toEqual(["a.mcap.partial"]);
  await recording.close();
  expect(await readdir(folder)).toEqual(["a.mcap"]);
});

test("createRecording refuses a folder that is not there, naming the file", async () => {
  const path = join(folder, "none", "a.mcap");
  await expect(createRecording(path)).rejects.toThrow(`Cannot write recording ${path}: ENOENT`);
});

test("abort leaves no file, and nothing can be written after it", async () => {
  const recording = await createRecording(join(folder, "a.mcap"));
  void recording.write(audioEvent(), 0);
  await recording.abort();
  expect(await readdir(folder)).toEqual([]);
  await expect(recording.write(audioEvent(), 0)).rejects.toThrow("it is closed");
});

test("write refuses what must not be recorded and goes on with the rest", async () => {
  const path = join(folder, "a.mcap");
  const recording = await createRecording(path);
  await recording.write(audioEvent(0), 0);
  const nan = { ...audioEvent(1), values: new Float32Array(39).fill(Number.NaN) };
  await expect(recording.write(nan, 1)).rejects.toThrow("values[0] must be finite, got NaN");
  const short = { ...audioEvent(1), values: new Float32Array(13) };
  await expect(recording.write(short, 1)).rejects.toThrow(
    '/scene/audio: shape must be {"kind":"audio","size":39,"convention":"mfcc39/psf-hamming/v1"} as before, got {"kind":"audio","size":13',
  );
  const other = { ...scalarEvent(), sensor: "audio" };
  await expect(recording.write(other, 1)).rejects.toThrow('got {"kind":"scalar","size":3}');
  await expect(recording.write(audioEvent(1), 0.5)).rejects.toThrow("receivedUs must be whole");
  await recording.write(audioEvent(1), 1);
  await recording.close();
  expect(await messageCount(path)).toBe(2);
});

test("a recording of many blocks is the same whether writes are awaited or not", async () => {
  const paths = [join(folder, "a.mcap"), join(folder, "b.mcap")];
  for (const path of paths) {
    const recording = await createRecording(path, { compression: "none" });
    // Chunks of 128 KiB, which go to the file by 1 MiB.
    for (let seq = 0; seq < 2000; seq++) {
      const written = recording.write(videoEvent(seq, seq * 40_000), seq);
      if (path === paths[0]) await written;
    }
    await recording.close();
  }
  const [a, b] = await Promise.all(paths.map((path) => readFile(path)));
  expect(a!.byteLength).toBeGreaterThan(4 * 1024 * 1024);
  expect(a!.equals(b!)).toBe(true);
  expect(await messageCount(paths[0]!)).toBe(2000);
});

test("WholeFileWritable goes on after short writes", async () => {
  const stored: number[] = [];
  const store = (bytes: Uint8Array, position: number): number => {
    expect(position).toBe(stored.length);
    stored.push(...bytes.subarray(0, 3));
    return Math.min(3, bytes.length);
  };
  const file = {
    async write(bytes: Uint8Array, from: number, length: number, position: number) {
      return { bytesWritten: store(bytes.subarray(from, from + length), position) };
    },
    async writev(pieces: readonly Uint8Array[], position: number) {
      return { bytesWritten: store(Buffer.concat(pieces), position) };
    },
  };
  const writable = new WholeFileWritable(file as never);
  await writable.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  await writable.write(Uint8Array.of(8));
  await writable.write(Uint8Array.of(9), new Uint8Array(0), Uint8Array.of(10, 11, 12, 13, 14));
  expect(stored).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  expect(writable.position()).toBe(14n);
});
