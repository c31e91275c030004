import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { packetOf, seededEvents } from "../../../../fixtures/generate/events/seeded-events.ts";
import { createDvsDecoder } from "../../../../src/sensors/dvs/codecs/create-dvs-decoder.ts";
import { createDvsEncoder } from "../../../../src/sensors/dvs/codecs/create-dvs-encoder.ts";
import type { DecodedDvsPacket } from "../../../../src/sensors/dvs/codecs/stream/packet-builder.ts";
import { type CodecEngine, codecModule } from "../../../../src/sensors/dvs/wasm/codec-module.ts";

const size = { width: 320, height: 200 };

it("codecModule() can run here", () => {
  expect(codecModule()).toBeDefined();
});

function digest({ timeUs, x, y, on, count, ...rest }: DecodedDvsPacket): unknown {
  const hash = createHash("sha1");
  for (const column of [timeUs, x, y, on]) hash.update(column.subarray(0, count));
  return { ...rest, count, columns: hash.digest("hex") };
}

/** Everything a decoder makes of `bytes`, pushed in pieces. */
function decoded(format: "evt2" | "evt3", bytes: Uint8Array, cuts: number[], engine: CodecEngine) {
  const decoder = createDvsDecoder(format, size, engine);
  const packets: unknown[] = [];
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let from = 0;
  for (const to of ends.sort((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, to));
    from = to;
    if (to === bytes.length) break;
    for (let packet = decoder.next(); packet; packet = decoder.next()) packets.push(digest(packet));
  }
  decoder.end();
  for (let packet = decoder.next(); packet; packet = decoder.next()) packets.push(digest(packet));
  return { packets, anomalies: { ...decoder.anomalies }, triggers: decoder.triggers };
}

const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 });
const cuts = fc.array(fc.nat(), { maxLength: 4 });

it.each(["evt2", "evt3"] as const)(
  "WordRun gives what the TypeScript decoder of %s gives, of damaged bytes in any pieces",
  (format) => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 40_000 }),
        damage,
        cuts,
        (seed, count, edits, pieces) => {
          const events = seededEvents(seed, count, [size.width, size.height]);
          const packet = packetOf(events, [size.width, size.height]);
          const bytes = createDvsEncoder(format, size).encode(packet).slice();
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          expect(decoded(format, bytes, pieces, "wasm")).toEqual(
            decoded(format, bytes, [], "typescript"),
          );
        },
      ),
      { numRuns: 40 },
    );
  },
);

/** A word as a camera would send it at place `i` of the stream; `value` is random. */
const regularWord = {
  evt2: (type: number, value: number, i: number): number => {
    if (type === 8) return type * 2 ** 28 + (i >> 3) + (value % 2);
    const low = (i & 7) * 8 + (value & 7);
    return type * 2 ** 28 + low * 2 ** 22 + (value % size.width) * 2 ** 11 + (value % size.height);
  },
  evt3: (type: number, value: number, i: number): number => {
    if (type === 8) return type * 2 ** 12 + (i >> 8);
    if (type === 6) return type * 2 ** 12 + (i & 255) * 16;
    const polarity = type === 2 || type === 3 ? value & 0x800 : 0;
    return type * 2 ** 12 + polarity + (type === 4 ? value & 0xfff : value % size.height);
  },
};

it.each([
  ["evt2", 32, [0, 1, 1, 0, 1, 1, 0, 1, 8, 8, 10, 14, 3]],
  ["evt3", 16, [0, 0, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 5, 6, 6, 8, 10, 7, 9, 1]],
] as const)(
  "WordRun gives what the TypeScript decoder of %s gives, of words of any kind",
  (format, bits, types) => {
    const common = types.slice(0, -4);
    const word = fc.tuple(fc.nat(2 ** 28 - 1), fc.nat(60));
    fc.assert(
      fc.property(fc.array(word, { minLength: 600, maxLength: 3000 }), cuts, (words, pieces) => {
        const bytes = new Uint8Array((words.length * bits) / 8);
        const view = new DataView(bytes.buffer);
        words.forEach(([value, kind], i) => {
          const from = kind === 0 ? types : common;
          const type = from[value % from.length]!;
          const random = type * 2 ** (bits - 4) + (value % 2 ** (bits - 4));
          const regular = regularWord[format](type, Math.floor(value / 16), i);
          const chosen = kind === 1 ? random : regular;
          if (bits === 32) view.setUint32(4 * i, chosen, true);
          else view.setUint16(2 * i, chosen, true);
        });
        expect(decoded(format, bytes, pieces, "wasm")).toEqual(
          decoded(format, bytes, [], "typescript"),
        );
      }),
      { numRuns: 120 },
    );
  },
);
