import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DvsPacket } from "../../../../src/sensors/dvs/dvs-packet.ts";
import { placeAt } from "../../../../src/sensors/dvs/simulate/motion-path.ts";
import {
  nmnistPath,
  simulateSaccadeDigit,
} from "../../../../src/sensors/dvs/simulate/saccade-digit.ts";
import { Random } from "../../../../src/sensors/random.ts";

const data = process.env["POLYPHASE_DATA"] ?? "../shared/data";

/** A bright bar in an otherwise black image. */
function bar(): Uint8Array {
  const grey = new Uint8Array(784);
  for (let y = 6; y < 22; y += 1) grey.fill(255, 28 * y + 12, 28 * y + 16);
  return grey;
}

/** Events per pixel of each saccade and polarity: six maps of 34 × 34. */
function countMaps(events: Iterable<readonly [number, number, number, number]>): Float64Array[] {
  const maps = Array.from({ length: 6 }, () => new Float64Array(34 * 34));
  for (const [timeUs, x, y, on] of events) {
    const saccade = Math.min(2, Math.floor(timeUs / 105_000));
    maps[2 * saccade + on]![34 * y + x]! += 1;
  }
  return maps;
}

function* tuplesOf(packet: DvsPacket): Generator<readonly [number, number, number, number]> {
  for (let i = 0; i < packet.count; i += 1) {
    yield [packet.timeUs[i]!, packet.x[i]!, packet.y[i]!, packet.on[i]!];
  }
}

/** N-MNIST: x, y, then polarity and 23 bits of time, big-endian. */
function* tuplesOfFile(bytes: Buffer): Generator<readonly [number, number, number, number]> {
  for (let at = 0; at + 5 <= bytes.length; at += 5) {
    const word = bytes.readUIntBE(at + 2, 3);
    yield [word & 0x7fffff, bytes[at]!, bytes[at + 1]!, word >>> 23];
  }
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (map: Float64Array): number => map.reduce((sum, n) => sum + n, 0) / map.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const [da, db] = [a[i]! - meanA, b[i]! - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

describe("placeAt", () => {
  it("goes straight from knot to knot and rests outside", () => {
    expect(placeAt(nmnistPath, 0)).toMatchObject({ x: 0.3, y: 1.0 });
    expect(placeAt(nmnistPath, 40_000).y).toBeCloseTo((2.6 + 3.9) / 2, 12);
    expect(placeAt(nmnistPath, -5)).toMatchObject({ x: 0.3, y: 1.0 });
    expect(placeAt(nmnistPath, 1e6)).toMatchObject({ x: 0.7, y: 1.4 });
  });
});

describe("simulateSaccadeDigit", () => {
  it("darkens the way ahead of a dark digit: OFF before it, ON behind it", () => {
    // In the third saccade the bar goes left, so OFF events lie left of ON events.
    const sums = [
      [0, 0],
      [0, 0],
    ] as [[number, number], [number, number]];
    for (const [timeUs, x, , on] of tuplesOf(simulateSaccadeDigit(bar(), 0, new Random(1)))) {
      if (timeUs < 230_000 || timeUs > 240_000) continue;
      sums[on as 0 | 1][0] += x;
      sums[on as 0 | 1][1] += 1;
    }
    const [off, on] = sums.map(([sum, count]) => sum / count);
    expect(off! + 2).toBeLessThan(on!);
  });

  it("is the same for the same seed, wherever it starts in time", () => {
    const early = [...tuplesOf(simulateSaccadeDigit(bar(), 0, new Random(5)))];
    const late = [...tuplesOf(simulateSaccadeDigit(bar(), 7_000_000, new Random(5)))];
    expect(early.length).toBeGreaterThan(500);
    expect(late).toEqual(early.map(([timeUs, x, y, on]) => [timeUs + 7_000_000, x, y, on]));
  });

  it("refuses an image of another size", () => {
    expect(() => simulateSaccadeDigit(new Uint8Array(783), 0, new Random(1))).toThrow(
      "image must have 784 pixels, got 783",
    );
  });

  const images = join(data, "mnist/train-images-idx3-ubyte.gz");
  const recordings = join(data, "nmnist/samples");
  it.skipIf(!existsSync(images) || !existsSync(recordings))(
    "looks like the real N-MNIST recordings of the same digits (needs POLYPHASE_DATA)",
    () => {
      const pixels = gunzipSync(readFileSync(images)).subarray(16);
      const names = readdirSync(recordings).filter((name) => name.startsWith("train_"));
      let [sum, simulated, real] = [0, 0, 0];
      for (const name of names) {
        const index = Number(name.split("_")[1]) - 1;
        const packet = simulateSaccadeDigit(
          new Uint8Array(pixels.subarray(784 * index, 784 * (index + 1))),
          0,
          new Random(index),
        );
        const bytes = readFileSync(join(recordings, name));
        const ours = countMaps(tuplesOf(packet));
        const theirs = countMaps(tuplesOfFile(bytes));
        for (const [i, map] of ours.entries()) sum += correlation(map, theirs[i]!) / 6;
        simulated += packet.count;
        real += bytes.length / 5;
      }
      expect(names.length).toBeGreaterThan(0);
      expect(sum / names.length).toBeGreaterThan(0.88);
      expect(simulated / real).toBeGreaterThan(0.85);
      expect(simulated / real).toBeLessThan(1.15);
    },
  );
});
