import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { McapWriter } from "@mcap/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import type { LogCompression } from "../../../src/streams/log/log-writer.ts";
import { type RecoveryReport, recoverLog } from "../../../src/streams/log/recover-log.ts";
import type { LogEntry } from "../../../src/streams/log/scan/log-entry.ts";
import { opcodes, readRecordHead } from "../../../src/streams/log/scan/log-record.ts";
import { audioEvent, marker, scalarEvent } from "../../wire/stream-items.ts";
import { entriesOf, foreignMessage, messageOf, textsOf, writeLog } from "./log-files.ts";

const folder = mkdtempSync(join(tmpdir(), "polyphase-recover-"));
afterAll(() => rmSync(folder, { recursive: true }));
const damaged = join(folder, "damaged.mcap");
const saved = join(folder, "saved.mcap");

/** Eleven chunks or so of four channels, with an attachment and metadata between them. */
const entries: readonly LogEntry[] = Array.from({ length: 120 }, (_, i): readonly LogEntry[] => {
  const timeUs = 1_000 * i;
  if (i === 40)
    return [{ kind: "metadata", metadata: { name: "m", metadata: new Map([["k", "v"]]) } }];
  if (i === 70) {
    const data = Uint8Array.from({ length: 300 }, (_, j) => (7 * j) & 255);
    return [
      {
        kind: "attachment",
        attachment: { name: "a.bin", mediaType: "x", logTime: 1n, createTime: 2n, data },
      },
    ];
  }
  if (i % 4 === 0) return [messageOf(audioEvent(i, timeUs), timeUs)];
  if (i % 4 === 1) return [messageOf(scalarEvent(i, timeUs), timeUs + 5)];
  if (i % 4 === 2)
    return [foreignMessage(i, BigInt(timeUs) * 1000n + 999n, Uint8Array.of(i, 5, 6))];
  return [
    i % 8 === 3 ? messageOf(marker(i, timeUs), timeUs) : foreignMessage(i, 9n, new Uint8Array(0)),
  ];
}).flat();

interface Part {
  readonly from: number;
  readonly to: number;
  readonly opcode: number;
}

interface Original {
  readonly bytes: Buffer;
  readonly parts: readonly Part[];
  /** Messages by chunk, in file order. */
  readonly byChunk: readonly (readonly string[])[];
}

const originals = new Map<LogCompression, Original>();

beforeAll(async () => {
  for (const compression of ["none", "lz4", "zstd"] as const) {
    const path = join(folder, `${compression}.mcap`);
    await writeLog(path, entries, { compression, chunkBytes: 1500 });
    const bytes = readFileSync(path);
    const parts: Part[] = [];
    for (let at = 8; at < bytes.length - 8; ) {
      const { opcode, contentBytes } = readRecordHead(bytes.subarray(at));
      parts.push({ from: at, to: at + 9 + contentBytes, opcode });
      at += 9 + contentBytes;
    }
    const texts = textsOf(entries);
    const counts = await chunkCounts(bytes, parts);
    let next = 0;
    const byChunk = counts.map((count) => {
      next += count;
      return texts.slice(next - count, next);
    });
    expect(next).toBe(texts.length);
    originals.set(compression, { bytes, parts, byChunk });
  }
});

/** Messages of each chunk, by the indexes behind it. */
async function chunkCounts(bytes: Buffer, parts: readonly Part[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const { from, opcode } of parts) {
    if (opcode === opcodes.CHUNK) counts.push(0);
    if (opcode === opcodes.MESSAGE_INDEX) {
      counts[counts.length - 1]! += bytes.readUInt32LE(from + 9 + 2) / 16;
    }
  }
  return counts;
}

/**
 * Recovers `bytes`, of which those at `changed` differ from the original, and checks that every
 * message of an intact chunk is there, once and in order, and that nothing else is.
 */
async function check(original: Original, bytes: Buffer, changed: readonly number[], what: string) {
  writeFileSync(damaged, bytes);
  const report = await recoverLog(damaged, saved);
  const actual =
    report.recoveredMessages === 0 && report.losses.length > 0
      ? []
      : textsOf(await entriesOf(saved));
  expect(actual, what).toHaveLength(report.recoveredMessages);
  const isIntact = ({ from, to }: Part): boolean =>
    to <= bytes.length && !changed.some((at) => at >= from && at < to);
  const chunks = original.parts.filter(({ opcode }) => opcode === opcodes.CHUNK);
  // All channels are described in the first chunks, and again behind the data.
  const endsAt = original.parts.findIndex(({ opcode }) => opcode === opcodes.DATA_END);
  const isDescribed =
    chunks.slice(0, 3).every(isIntact) || original.parts.slice(endsAt).every(isIntact);
  const intact = chunks.flatMap((chunk, i) => (isIntact(chunk) ? original.byChunk[i]! : []));
  const all = original.byChunk.flat();
  const invented = actual.filter((text) => !all.includes(text));
  expect(invented, what).toEqual([]);
  expect(new Set(actual).size, what).toBe(actual.length);
  const positions = actual.map((text) => all.indexOf(text));
  expect(positions, what).toEqual(positions.toSorted((a, b) => a - b));
  if (isDescribed) {
    const missing = intact.filter((text) => !actual.includes(text));
    expect(missing, `${what}: ${JSON.stringify(report.losses)}`).toEqual([]);
  }
  return report;
}

describe("recoverLog()", () => {
  it.each(["none", "lz4", "zstd"] as const)(
    "gives an intact recording back as it is (%s)",
    async (compression) => {
      const { bytes } = originals.get(compression)!;
      writeFileSync(damaged, bytes);
      const report = await recoverLog(damaged, saved, { compression, chunkBytes: 1500 });
      expect(report).toMatchObject({ losses: [], statedMessages: textsOf(entries).length });
      expect(readFileSync(saved).equals(bytes)).toBe(true);
    },
  );

  it("saves all whole chunks of a recording that is cut at any byte", async () => {
    const original = originals.get("none")!;
    const { bytes, parts } = original;
    const chunks = parts.filter(({ opcode }) => opcode === opcodes.CHUNK);
    // Every byte of a chunk's end, its indexes and the next chunk's head; and around all else.
    const stretch = Array.from({ length: 50 }, (_, i) => chunks[2]!.to - 12 + i);
    const others = parts.flatMap(({ from }) => [from - 1, from, from + 9]);
    for (const length of [...stretch, ...others, 0, 1, 7, 8, 9, bytes.length - 1]) {
      await check(original, bytes.subarray(0, length), [], `cut at ${length}`);
    }
  });

  it("loses no intact chunk and invents nothing where bytes are flipped", async () => {
    const random = new Random(11);
    for (let run = 0; run < 300; run++) {
      const original = originals.get((["none", "lz4", "zstd"] as const)[run % 3]!)!;
      const bytes = Buffer.from(original.bytes);
      const changed = Array.from({ length: 1 + random.below(3) }, () => {
        // Half of the flips hit where records begin: lengths and opcodes are what leads astray.
        const part = original.parts[random.below(original.parts.length)]!;
        return random.below(2) === 0 ? random.below(bytes.length) : part.from + random.below(12);
      });
      for (const at of changed) bytes[at]! ^= 1 + random.below(255);
      await check(original, bytes, changed, `run ${run}, bytes ${changed}`);
    }
  });

  it("finds the next chunk behind garbage, zeros and missing pieces", async () => {
    const random = new Random(12);
    for (let run = 0; run < 80; run++) {
      const original = originals.get((["none", "zstd"] as const)[run % 2]!)!;
      const { bytes } = original;
      const from = 8 + random.below(bytes.length - 16);
      const to = Math.min(bytes.length, from + random.below(3000));
      const filled = Buffer.from(bytes);
      for (let at = from; at < to; at++) filled[at] = run % 4 < 2 ? 0 : random.below(256);
      const changed = Array.from({ length: to - from }, (_, i) => from + i);
      await check(original, filled, changed, `run ${run}, filled ${from} to ${to}`);
    }
    // Bytes between two records move all that follows: what is whole is found where it is now.
    for (const opcode of [opcodes.CHUNK, opcodes.MESSAGE_INDEX]) {
      const { bytes, parts, byChunk } = originals.get("zstd")!;
      const { from } = parts.filter((part) => part.opcode === opcode)[4]!;
      const garbage = Buffer.from("what is this? ".repeat(20));
      writeFileSync(
        damaged,
        Buffer.concat([bytes.subarray(0, from), garbage, bytes.subarray(from)]),
      );
      const report = await recoverLog(damaged, saved);
      expect(report.recoveredMessages).toBe(byChunk.flat().length);
      expect(report.losses[0]).toMatchObject({ from, to: expect.any(Number) });
    }
  });

  it("says which bytes are lost, how many chunks and how many messages were there", async () => {
    const { bytes, parts, byChunk } = originals.get("zstd")!;
    const chunk = parts.filter(({ opcode }) => opcode === opcodes.CHUNK)[3]!;
    const flipped = Buffer.from(bytes);
    flipped[chunk.to - 5]! ^= 1;
    writeFileSync(damaged, flipped);
    const report: RecoveryReport = await recoverLog(damaged, saved);
    const { from, to } = chunk;
    expect(report.losses).toMatchObject([
      { reason: "chunk-damaged", from, to, isChunk: true, messages: byChunk[3]!.length },
    ]);
    expect(report.statedMessages! - report.recoveredMessages).toBe(byChunk[3]!.length);
  });

  it("writes no file where nothing can be saved", async () => {
    const out = join(folder, "nothing.mcap");
    for (const text of ["", "no recording", "x".repeat(3_000_000)]) {
      writeFileSync(damaged, text);
      const report = await recoverLog(damaged, out);
      expect(report.recoveredMessages).toBe(0);
      expect(report.losses.length).toBeGreaterThan(0);
    }
    expect(readdirSync(folder).filter((name) => name.startsWith("nothing"))).toEqual([]);
  });

  it("reads recordings whose messages are outside of chunks, cut off too", async () => {
    const parts: Uint8Array[] = [];
    let position = 0;
    const writable = {
      write: async (bytes: Uint8Array) => {
        parts.push(bytes.slice());
        position += bytes.length;
      },
      position: () => BigInt(position),
    };
    const writer = new McapWriter({ writable, useChunks: false });
    await writer.start({ profile: "", library: "x" });
    const schemaId = await writer.registerSchema({
      ...{ name: "s", encoding: "jsonschema", data: new Uint8Array(2) },
    });
    const channelId = await writer.registerChannel({
      ...{ schemaId, topic: "/t", messageEncoding: "json", metadata: new Map() },
    });
    for (let i = 0; i < 20; i++) {
      const times = { logTime: BigInt(i), publishTime: BigInt(i) };
      await writer.addMessage({ channelId, sequence: i, ...times, data: Uint8Array.of(i, 1, 2) });
    }
    await writer.end();
    const bytes = Buffer.concat(parts);
    writeFileSync(damaged, bytes);
    expect(await recoverLog(damaged, saved)).toMatchObject({ recoveredMessages: 20, losses: [] });
    writeFileSync(damaged, bytes.subarray(0, 8 + 9 + 9 + 60 + 10 * 34));
    const cut = await recoverLog(damaged, saved);
    expect(cut.recoveredMessages).toBeGreaterThan(5);
    expect(cut.losses.map(({ reason }) => reason)).toEqual(["cut-off", "summary-missing"]);
  });
});
