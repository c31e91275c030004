import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { evtsMessage, lz4Frame } from "../../../../fixtures/generate/events/aedat4-packets.ts";
import { join, words32 } from "../../../../fixtures/generate/events/bytes.ts";
import { seededEvents } from "../../../../fixtures/generate/events/seeded-events.ts";
import { createDvsDecoder } from "../../../../src/sensors/dvs/codecs/create-dvs-decoder.ts";
import type { DvsDecoder } from "../../../../src/sensors/dvs/codecs/dvs-decoder.ts";
import type { CodecEngine } from "../../../../src/sensors/dvs/wasm/codec-module.ts";

type Event = readonly [timeUs: number, x: number, y: number, on: number];
const [width, height] = [346, 260];

/** Headers of files without a table, which may go on for ever. */
const headers = { none: headerOf("aedat4-no-table"), lz4: headerOf("aedat4-bad-packet") };

function headerOf(name: string): Uint8Array {
  const bytes = readFileSync(`fixtures/events/${name}.aedat4`);
  const signatureBytes = 14;
  return bytes.subarray(0, signatureBytes + 4 + bytes.readUInt32LE(signatureBytes));
}

function fileOf(compression: "none" | "lz4", packets: readonly (readonly Event[])[]): Uint8Array {
  const payloads = packets.map((events) => {
    const message = evtsMessage(events);
    return compression === "none" ? message : lz4Frame(message);
  });
  const parts = payloads.map((payload) => join(words32(0, payload.length), payload));
  return join(headers[compression], ...parts);
}

function* taken(decoder: DvsDecoder): Generator<unknown> {
  for (let packet = decoder.next(); packet; packet = decoder.next()) {
    const { timeUs, x, y, on, ...rest } = packet;
    yield { ...rest, timeUs: [...timeUs], x: [...x], y: [...y], on: [...on] };
  }
}

function decoded(bytes: Uint8Array, cut: number, engine: CodecEngine) {
  const decoder = createDvsDecoder("aedat4", undefined, engine);
  const packets: unknown[] = [];
  for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
    decoder.push(part);
    packets.push(...taken(decoder));
  }
  decoder.end();
  packets.push(...taken(decoder));
  return { packets, anomalies: { ...decoder.anomalies } };
}

/** What becomes of one event among regular ones. */
const fault = fc.constantFrom<(event: Event) => Event>(
  ([timeUs, , y, on]) => [timeUs, width, y, on],
  ([timeUs, x, , on]) => [timeUs, x, 65_535, on],
  ([timeUs, x, y]) => [timeUs, x, y, 2],
  ([timeUs, x, y, on]) => [timeUs - 1000, x, y, on],
  ([timeUs, x, y, on]) => [timeUs + 1_000_000, x, y, on],
  ([timeUs, x, y, on]) => [timeUs + 5_000_000, x, y, on],
  ([, x, y, on]) => [2 ** 52 - 1, x, y, on],
  ([, x, y, on]) => [2 ** 52, x, y, on],
  ([, x, y, on]) => [2 ** 62, x, y, on],
  ([, x, y, on]) => [-1, x, y, on],
);

it("AEDAT 4 in WebAssembly gives what TypeScript gives, whatever one event among others is", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), fault), { maxLength: 6 }),
      fc.constantFrom("none", "lz4"),
      fc.constantFrom(1_600_000_000_000_000, 2 ** 52 - 2000),
      fc.nat(),
      (seed, counts, faults, compression, startUs, cut) => {
        const packets = counts.map((count, i) => {
          return seededEvents(seed + i, count, [width, height], startUs + i * 4000) as Event[];
        });
        for (const [at, change] of faults) {
          const events = packets[at % packets.length]!;
          const i = at % events.length;
          events[i] = change(events[i]!);
        }
        const bytes = fileOf(compression, packets);
        expect(decoded(bytes, cut % bytes.length, "wasm")).toEqual(decoded(bytes, 0, "typescript"));
      },
    ),
    { numRuns: 120 },
  );
});

it.each(["none", "lz4"] as const)(
  "AEDAT 4, %s: decoders in turns share memory and nothing that is in it",
  (compression) => {
    // More events in one packet than are given out at once.
    const files = [1, 2].map((seed) => {
      return fileOf(compression, [seededEvents(seed, 40_000, [width, height]) as Event[]]);
    });
    const alone = files.map((bytes) => decoded(bytes, 0, "wasm").packets);
    const decoders = files.map((bytes) => {
      const decoder = createDvsDecoder("aedat4");
      decoder.push(bytes);
      // What is pushed next lies where the first bytes lay.
      return { decoder, packets: [] as unknown[], take: taken(decoder), bytes };
    });
    for (let turn = 0; turn < 2; turn++) {
      for (const { decoder, packets, take } of decoders) {
        packets.push(take.next().value);
        decoder.push(new Uint8Array(400_000));
      }
    }
    for (const { packets, take } of decoders) packets.push(...take);
    expect(decoders.map(({ packets }) => packets.slice(0, 2))).toEqual(
      alone.map((packets) => packets.slice(0, 2)),
    );
    expect(alone.map((packets) => packets.length)).toEqual([3, 3]);
  },
);
