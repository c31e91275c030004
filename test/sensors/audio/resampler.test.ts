import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Resampler,
  resamplerDelayUs,
  resampleWhole,
} from "../../../src/sensors/audio/resampler.ts";

const rates = [8_000, 11_025, 22_050, 32_000, 44_100, 48_000];

function tone(hz: number, sampleRate: number, seconds: number): Float64Array {
  return Float64Array.from({ length: Math.round(seconds * sampleRate) }, (_, n) =>
    Math.sin((2 * Math.PI * hz * n) / sampleRate),
  );
}

function bytesOf(samples: Float32Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** Largest difference of `signal` from a tone of the same place in time, edges left out. */
function errorFromTone(signal: Float32Array, hz: number): number {
  let error = 0;
  for (let m = 400; m < signal.length - 400; m += 1) {
    error = Math.max(error, Math.abs(signal[m]! - Math.sin((2 * Math.PI * hz * m) / 16_000)));
  }
  return error;
}

describe("Resampler", () => {
  it.each(rates)(
    "from %i Hz leaves tones of the pass band where and as loud as they are",
    (rate) => {
      const nyquist = Math.min(rate, 16_000) / 2;
      for (const hz of [100, 1000, 0.5 * nyquist, 0.89 * nyquist]) {
        expect(errorFromTone(resampleWhole(tone(hz, rate, 0.25), rate), hz)).toBeLessThan(3e-4);
      }
    },
  );

  it.each([22_050, 32_000, 44_100, 48_000])(
    "from %i Hz puts tones above 8 kHz 75 dB down",
    (rate) => {
      for (const hz of [8000, 9000, rate / 2 - 300]) {
        const out = resampleWhole(tone(hz, rate, 0.25), rate).subarray(400, -400);
        expect(Math.max(...out.map(Math.abs))).toBeLessThan(10 ** (-75 / 20));
      }
    },
  );

  it("from 8 kHz puts the mirror image of a tone 75 dB down", () => {
    const out = resampleWhole(tone(1000, 8000, 0.25), 8000);
    // Projection on the image at 7 kHz.
    let [re, im] = [0, 0];
    for (let m = 400; m < out.length - 400; m += 1) {
      re += out[m]! * Math.cos((2 * Math.PI * 7000 * m) / 16_000);
      im += out[m]! * Math.sin((2 * Math.PI * 7000 * m) / 16_000);
    }
    expect((2 * Math.hypot(re, im)) / (out.length - 800)).toBeLessThan(10 ** (-75 / 20));
  });

  it.each(rates)("from %i Hz keeps a constant", (rate) => {
    const out = resampleWhole(new Float32Array(rate / 10).fill(0.5), rate);
    for (const sample of out.subarray(200, -200)) expect(sample).toBeCloseTo(0.5, 6);
  });

  it.each(rates)("from %i Hz gives the same bits however the signal is cut", (rate) => {
    const signal = Int16Array.from({ length: 6000 }, (_, i) => ((i * 7919) % 20_001) - 10_000);
    const whole = resampleWhole(signal, rate);
    expect(whole.length).toBe(Math.ceil((signal.length * 16_000) / rate));
    fc.assert(
      fc.property(fc.array(fc.nat(signal.length), { maxLength: 12 }), (cuts) => {
        const resampler = new Resampler(rate);
        const out = new Float32Array(resampler.outputMax(signal.length));
        let written = 0;
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), signal.length]) {
          written += resampler.into(out.subarray(written), signal.subarray(from, to));
          from = to;
        }
        written += resampler.flushInto(out.subarray(written));
        expect(Buffer.compare(bytesOf(out.subarray(0, written)), bytesOf(whole))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it("starts anew after a flush", () => {
    const resampler = new Resampler(8000);
    const signal = Int16Array.from({ length: 500 }, (_, i) => i * 50);
    for (let round = 0; round < 2; round += 1) {
      const out = new Float32Array(resampler.outputMax(signal.length));
      const written = resampler.into(out, signal);
      const total = written + resampler.flushInto(out.subarray(written));
      expect(out.slice(0, total)).toEqual(resampleWhole(signal, 8000));
    }
  });

  it("can compute an output once the samples of its delay are there", () => {
    const resampler = new Resampler(48_000);
    const out = new Float32Array(resampler.outputMax(48_000));
    const samples = (resamplerDelayUs(48_000) / 1e6) * 48_000;
    expect(resampler.into(out, new Float32Array(samples))).toBe(0);
    expect(resampler.into(out, new Float32Array(1))).toBe(1);
  });

  it("refuses a rate it was not designed for", () => {
    expect(() => new Resampler(12_345)).toThrow("sampleRate must be one of 8000, 11025");
  });
});
