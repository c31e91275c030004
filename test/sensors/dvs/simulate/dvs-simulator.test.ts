import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DvsPacket } from "../../../../src/sensors/dvs/dvs-packet.ts";
import { DvsPacketBuilder } from "../../../../src/sensors/dvs/simulate/dvs-packet-builder.ts";
import {
  type DvsPixelModel,
  DvsSimulator,
} from "../../../../src/sensors/dvs/simulate/dvs-simulator.ts";
import { Random } from "../../../../src/sensors/random.ts";

/** No mismatch, no noise, no delay: every event can be computed by hand. */
const ideal: DvsPixelModel = {
  thresholdOn: 0.25,
  thresholdOff: 0.5,
  mismatch: 0,
  refractoryUs: 0,
  leakHz: 0,
  noiseHz: 0,
  lowPassUs: 0,
  initialSpread: 0,
};
const messy: DvsPixelModel = {
  thresholdOn: 0.2,
  thresholdOff: 0.25,
  mismatch: 0.1,
  refractoryUs: 700,
  leakHz: 20,
  noiseHz: 50,
  lowPassUs: 800,
  initialSpread: 1,
};

interface Event {
  readonly timeUs: number;
  readonly x: number;
  readonly y: number;
  readonly on: number;
}

function eventsOf(packet: DvsPacket): Event[] {
  return Array.from({ length: packet.count }, (_, i) => ({
    timeUs: packet.timeUs[i]!,
    x: packet.x[i]!,
    y: packet.y[i]!,
    on: packet.on[i]!,
  }));
}

/** Shows log brightness images, one per millisecond, to a camera of the images' width. */
function watch(
  images: readonly (readonly number[])[],
  model: DvsPixelModel,
  seed = 1,
  width = images[0]!.length,
): Event[] {
  const size = { width, height: images[0]!.length / width };
  const first = Float64Array.from(images[0]!);
  const camera = new DvsSimulator(size, model, new Random(seed), first, 5000);
  const out = new DvsPacketBuilder(size.width, size.height);
  for (const [i, image] of images.entries()) {
    if (i > 0) camera.step(out, Float64Array.from(image), 5000 + 1000 * i);
  }
  return eventsOf(out.packetView());
}

function randomImages(seed: number, count: number, pixels: number): number[][] {
  const random = new Random(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: pixels }, () => 2 * random.uniform()),
  );
}

describe("DvsSimulator", () => {
  it("makes an ON event at every threshold a linear rise crosses, rounded up to whole µs", () => {
    expect(watch([[0], [0.8]], ideal)).toEqual([
      { timeUs: 5313, x: 0, y: 0, on: 1 },
      { timeUs: 5625, x: 0, y: 0, on: 1 },
      { timeUs: 5938, x: 0, y: 0, on: 1 },
    ]);
  });

  it("makes OFF events by their own threshold when it gets darker", () => {
    expect(watch([[0], [-1]], ideal)).toEqual([
      { timeUs: 5500, x: 0, y: 0, on: 0 },
      { timeUs: 6000, x: 0, y: 0, on: 0 },
    ]);
  });

  it("keeps the rest of a change below threshold for later", () => {
    expect(watch([[0], [0.2], [0.2], [0.3]], ideal).map(({ timeUs }) => timeUs)).toEqual([7500]);
  });

  it("orders events by time and then by pixel, row by row", () => {
    const events = watch(
      [
        [0, 0, 0, 0],
        [0.25, 0.5, 0.25, 0.25],
      ],
      ideal,
      1,
      2,
    );
    expect(events.map(({ timeUs, x, y }) => [timeUs, x, y])).toEqual([
      [5500, 1, 0],
      [6000, 0, 0],
      [6000, 1, 0],
      [6000, 0, 1],
      [6000, 1, 1],
    ]);
  });

  it("lets an event wait out the refractory period without losing the change", () => {
    const model = { ...ideal, refractoryUs: 1500 };
    const times = watch([[0], [1], [1], [1], [1], [1]], model).map(({ timeUs }) => timeUs);
    expect(times).toEqual([5250, 6750, 8250, 9750]);
  });

  it("follows brightness through a low-pass", () => {
    const model = { ...ideal, thresholdOn: 0.99, lowPassUs: 1000 };
    const images = [[0], ...Array.from({ length: 10 }, () => [1])];
    // 1 - exp(-n) passes 0.99 in step 5: from 0.98168 to 0.99326.
    expect(watch(images, model).map(({ timeUs }) => timeUs)).toEqual([
      9000 + Math.ceil(1000 * ((0.99 - (1 - Math.exp(-4))) / (Math.exp(-4) - Math.exp(-5)))),
    ]);
  });

  it("leaks ON events at the rate asked for, and nothing else, when nothing moves", () => {
    const still = Array.from({ length: 1001 }, () => new Array<number>(200).fill(0));
    const events = watch(still, { ...ideal, leakHz: 5, initialSpread: 1 });
    expect(events.every(({ on }) => on === 1)).toBe(true);
    // Once every pixel has come down from its first reference, phases are spread evenly.
    const steady = events.filter(({ timeUs }) => timeUs > 605_000).length;
    expect(Math.abs(steady / 200 - 2)).toBeLessThan(0.1);
  });

  it("adds noise of both polarities at the rate asked for", () => {
    const still = Array.from({ length: 1001 }, () => new Array<number>(200).fill(0));
    const events = watch(still, { ...ideal, noiseHz: 20 });
    const on = events.filter((event) => event.on === 1).length;
    expect(Math.abs(events.length / 200 - 20)).toBeLessThan(1);
    expect(Math.abs(on / events.length - 0.5)).toBeLessThan(0.05);
  });

  it("gives each pixel thresholds of its own by mismatch", () => {
    const pixels = 2000;
    // Nearly all thresholds lie below 0.36, and hardly any below half of it.
    const images = [new Array<number>(pixels).fill(0), new Array<number>(pixels).fill(0.36)];
    const shares = watch(images, { ...ideal, mismatch: 0.1 }).map(
      ({ timeUs }) => (((timeUs - 5000) / 1000) * 0.36) / 0.25,
    );
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(0.1, 2);
  });

  it("gives the same events for the same seed and others for another", () => {
    const images = randomImages(9, 20, 24);
    expect(watch(images, messy, 3)).toEqual(watch(images, messy, 3));
    expect(watch(images, messy, 4)).not.toEqual(watch(images, messy, 3));
  });

  it("keeps time order, sensor bounds and the refractory period whatever it sees", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const lastUs = new Map<number, number>();
        let previousUs = 5000;
        for (const { timeUs, x, y } of watch(randomImages(seed, 15, 24), messy, seed, 6)) {
          expect(Number.isInteger(timeUs) && timeUs > 5000 && timeUs <= 19_000).toBe(true);
          expect(timeUs).toBeGreaterThanOrEqual(previousUs);
          expect(x < 6 && y < 4).toBe(true);
          const pixel = 6 * y + x;
          expect(timeUs - (lastUs.get(pixel) ?? 0)).toBeGreaterThanOrEqual(700);
          lastUs.set(pixel, timeUs);
          previousUs = timeUs;
        }
      }),
      { numRuns: 50 },
    );
  });

  it("refuses models, images and times it cannot simulate", () => {
    const size = { width: 2, height: 1 };
    const image = new Float64Array(2);
    const make = (model: Partial<DvsPixelModel>, first = image): DvsSimulator =>
      new DvsSimulator(size, { ...ideal, ...model }, new Random(1), first, 0);
    expect(() => make({ thresholdOn: 0 })).toThrow("thresholdOn must be > 0, got 0");
    expect(() => make({ leakHz: -1 })).toThrow("leakHz must be >= 0, got -1");
    expect(() => make({ mismatch: Number.NaN })).toThrow("mismatch must be >= 0, got NaN");
    expect(() => make({ refractoryUs: 0.5 })).toThrow("refractoryUs must be whole, got 0.5");
    expect(() => make({}, new Float64Array(3))).toThrow("image must have 2 pixels, got 3");
    const out = new DvsPacketBuilder(2, 1);
    for (const timeUs of [0, -1, 0.5, 1_000_001]) {
      expect(() => make({}).step(out, image, timeUs)).toThrow(RangeError);
    }
  });
});
