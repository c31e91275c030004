import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mfccConventions } from "../../../src/sensors/audio/mfcc-convention.ts";
import { createMfccVector, MfccStream } from "../../../src/sensors/audio/mfcc-stream.ts";
import { PolyphaseError } from "../../../src/sensors/polyphase-error.ts";
import { type CollectedVector, collectMfcc, pullInto } from "./collect-mfcc.ts";
import { goldenSignal } from "./golden-signal.ts";

interface Golden {
  readonly signalSha256: string;
  readonly frames: number;
  readonly sum: number;
  readonly absoluteSum: number;
  readonly rows: Readonly<Record<string, readonly number[]>>;
  readonly prefixes: readonly {
    readonly samples: number;
    readonly frames: number;
    readonly first: readonly number[];
    readonly last: readonly number[];
  }[];
  readonly silence: readonly number[];
}

const golden = JSON.parse(
  readFileSync(new URL("mfcc-golden.json", import.meta.url), "utf8"),
) as Golden;
const signal = goldenSignal();

function expectClose(actual: Float64Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value), `coefficient ${i}`).toBeLessThan(1e-9);
  }
}

function bitsOf(vectors: readonly CollectedVector[]): string {
  const hash = createHash("sha256");
  for (const { timeUs, availableUs, values } of vectors) {
    hash.update(Float64Array.of(timeUs, availableUs, ...values));
  }
  return hash.digest("hex");
}

describe("goldenSignal", () => {
  it("has the published digest", () => {
    expect(createHash("sha256").update(signal).digest("hex")).toBe(golden.signalSha256);
  });
});

describe("MfccStream", () => {
  it("gives the published golden values", () => {
    const vectors = collectMfcc(new MfccStream(), signal);
    expect(vectors.length).toBe(199);
    const published = [16.609373, -31.709936, -17.943199, -26.103164, -23.7919];
    for (const [i, value] of published.entries()) {
      expect(vectors[40]!.values[i]).toBeCloseTo(value, 5);
    }
    expect(vectors[198]!.values[1]).toBeCloseTo(-40.783638, 5);
  });

  it("equals python_speech_features to 1e-9 in all 199 frames", () => {
    const vectors = collectMfcc(new MfccStream(), signal);
    expect(vectors.length).toBe(golden.frames);
    for (const [frame, row] of Object.entries(golden.rows)) {
      expectClose(vectors[Number(frame)]!.values, row);
    }
    const all = vectors.flatMap(({ values }) => [...values]);
    const sum = all.reduce((total, value) => total + value, 0);
    const absoluteSum = all.reduce((total, value) => total + Math.abs(value), 0);
    expect(Math.abs(sum - golden.sum)).toBeLessThan(1e-7);
    expect(Math.abs(absoluteSum - golden.absoluteSum)).toBeLessThan(1e-7);
  });

  it("counts and pads frames at the end as python_speech_features does", () => {
    for (const { samples, frames, first, last } of golden.prefixes) {
      const vectors = collectMfcc(new MfccStream(), signal.subarray(0, samples));
      expect(vectors.length, `${samples} samples`).toBe(frames);
      expectClose(vectors[0]!.values, first);
      expectClose(vectors.at(-1)!.values, last);
    }
  });

  it("gives finite values for silence", () => {
    const vectors = collectMfcc(new MfccStream(), new Int16Array(2000));
    expectClose(vectors[3]!.values, golden.silence);
  });

  it("gives no vector for no samples", () => {
    expect(collectMfcc(new MfccStream(), new Int16Array(0))).toEqual([]);
  });

  it("gives the same bits however the signal is cut, in both conventions", () => {
    const short = signal.subarray(0, 4000);
    for (const convention of Object.values(mfccConventions)) {
      const whole = bitsOf(collectMfcc(new MfccStream({ convention }), short, 7));
      const sampleBySample = Array.from({ length: short.length - 1 }, (_, i) => i + 1);
      expect(bitsOf(collectMfcc(new MfccStream({ convention }), short, 7, sampleBySample))).toBe(
        whole,
      );
      fc.assert(
        fc.property(fc.array(fc.nat(short.length), { maxLength: 20 }), (cuts) => {
          const ascending = cuts.sort((a, b) => a - b);
          expect(bitsOf(collectMfcc(new MfccStream({ convention }), short, 7, ascending))).toBe(
            whole,
          );
        }),
        { numRuns: 40 },
      );
    }
  });

  it("takes floats of full scale 1 as the int16 samples they stand for", () => {
    const asInt16 = bitsOf(collectMfcc(new MfccStream(), signal));
    const floats = Float32Array.from(signal, (sample) => sample / 32_768);
    expect(bitsOf(collectMfcc(new MfccStream(), floats))).toBe(asInt16);
    expect(bitsOf(collectMfcc(new MfccStream(), Float64Array.from(floats)))).toBe(asInt16);
  });

  it("times each vector by its window's centre and by the last sample it needs", () => {
    const vectors = collectMfcc(new MfccStream(), signal, 1_700_000_000_000_001);
    for (const [k, { timeUs, availableUs }] of vectors.entries()) {
      expect(timeUs).toBe(1_700_000_000_000_001 + (160 * k + 200) * 62.5);
      expect(availableUs).toBe(1_700_000_000_000_001 + (160 * (k + 4) + 400) * 62.5);
    }
  });

  it("gives a vector with the very sample that completes it, not before", () => {
    for (const [convention, framesAhead] of [
      [mfccConventions.centred, 4],
      [mfccConventions.causal, 0],
    ] as const) {
      const mfcc = new MfccStream({ convention });
      const needed = 400 + 160 * (framesAhead + 1);
      const vectors: CollectedVector[] = [];
      mfcc.push(signal.subarray(0, needed - 1));
      pullInto(vectors, mfcc);
      expect(vectors.length).toBe(1);
      mfcc.push(signal.subarray(needed - 1, needed));
      pullInto(vectors, mfcc);
      expect(vectors.length).toBe(2);
      expect(vectors[1]!.availableUs).toBe(needed * 62.5);
    }
  });

  it("adds the delay of a filter before it to the available time only", () => {
    const [vector] = collectMfcc(new MfccStream({ inputDelayUs: 3000 }), signal);
    expect(vector!.timeUs).toBe(12_500);
    expect(vector!.availableUs).toBe(65_000 + 3000);
  });

  it("in causal form delays Δ by two frames and ΔΔ by four, once the start is past", () => {
    const centred = collectMfcc(new MfccStream(), signal);
    const causal = collectMfcc(new MfccStream({ convention: mfccConventions.causal }), signal);
    expect(causal.length).toBe(centred.length);
    for (let k = 10; k < 190; k += 1) {
      const { values } = causal[k]!;
      expect(values.subarray(0, 13)).toEqual(centred[k]!.values.subarray(0, 13));
      expect(values.subarray(13, 26)).toEqual(centred[k - 2]!.values.subarray(13, 26));
      expect(values.subarray(26)).toEqual(centred[k - 4]!.values.subarray(26));
    }
    expect(causal[0]!.values.subarray(13)).toEqual(new Float64Array(26));
  });
});

describe("MfccStream at gaps", () => {
  it("ends one run and starts another, with nothing carried across", () => {
    const mfcc = new MfccStream();
    const vectors: CollectedVector[] = [];
    mfcc.push(signal.subarray(0, 3210), 0);
    pullInto(vectors, mfcc);
    mfcc.push(signal.subarray(5000, 9000), 1_000_000);
    pullInto(vectors, mfcc);
    mfcc.flush();
    pullInto(vectors, mfcc);
    const before = collectMfcc(new MfccStream(), signal.subarray(0, 3210), 0);
    const after = collectMfcc(new MfccStream(), signal.subarray(5000, 9000), 1_000_000);
    expect(bitsOf(vectors)).toBe(bitsOf([...before, ...after]));
    expect(mfcc.gaps).toBe(1);
  });

  it("keeps time by the sample count while push times stay within the tolerance", () => {
    const mfcc = new MfccStream({ gapUsMax: 20_000 });
    const vectors: CollectedVector[] = [];
    mfcc.push(signal.subarray(0, 1600), 0);
    pullInto(vectors, mfcc);
    mfcc.push(signal.subarray(1600), 100_000 + 20_000);
    pullInto(vectors, mfcc);
    mfcc.flush();
    pullInto(vectors, mfcc);
    expect(bitsOf(vectors)).toBe(bitsOf(collectMfcc(new MfccStream(), signal, 0)));
    expect(mfcc.gaps).toBe(0);
  });

  it("takes time going back as a gap too", () => {
    const mfcc = new MfccStream();
    const vectors: CollectedVector[] = [];
    mfcc.push(signal.subarray(0, 1600), 500_000);
    pullInto(vectors, mfcc);
    mfcc.push(signal.subarray(0, 1600), 0);
    pullInto(vectors, mfcc);
    mfcc.flush();
    pullInto(vectors, mfcc);
    expect(vectors.map(({ timeUs }) => timeUs)).toEqual([
      ...Array.from({ length: 9 }, (_, k) => 512_500 + 10_000 * k),
      ...Array.from({ length: 9 }, (_, k) => 12_500 + 10_000 * k),
    ]);
  });

  it("after a flush goes on where the last run ended, unless told another time", () => {
    const mfcc = new MfccStream();
    const vectors = collectMfcc(mfcc, signal.subarray(0, 1600), 40);
    mfcc.push(signal.subarray(0, 400));
    pullInto(vectors, mfcc);
    mfcc.flush();
    pullInto(vectors, mfcc);
    expect(vectors.at(-1)!.timeUs).toBe(40 + 100_000 + 12_500);
  });
});

describe("MfccStream given wrong input", () => {
  it("refuses a sample that is not finite, saying which, and stays usable", () => {
    const mfcc = new MfccStream();
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 20_000]) {
      const samples = Float32Array.of(0, 0.5, bad);
      expect(() => mfcc.push(samples)).toThrow(PolyphaseError);
      expect(() => mfcc.push(samples)).toThrow(
        `Cannot push samples: samples[2] must be finite with full scale at 1, got ${bad}`,
      );
    }
    expect(bitsOf(collectMfcc(mfcc, signal))).toBe(bitsOf(collectMfcc(new MfccStream(), signal)));
  });

  it("refuses a time that is not whole microseconds", () => {
    expect(() => new MfccStream().push(signal, 0.5)).toThrow(RangeError);
  });

  it("refuses samples while vectors of the last push wait to be pulled", () => {
    const mfcc = new MfccStream();
    mfcc.push(signal);
    expect(mfcc.next(createMfccVector())).toBe(true);
    expect(() => mfcc.push(signal)).toThrow("until next() returns false");
    expect(() => mfcc.flush()).toThrow("until next() returns false");
  });
});
