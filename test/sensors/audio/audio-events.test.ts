import { describe, expect, it } from "vitest";
import { audioEvents } from "../../../src/sensors/audio/audio-events.ts";
import { mfccConventions } from "../../../src/sensors/audio/mfcc-convention.ts";
import { MfccStream } from "../../../src/sensors/audio/mfcc-stream.ts";
import { resamplerDelayUs } from "../../../src/sensors/audio/resampler.ts";
import { collectMfcc } from "./collect-mfcc.ts";
import { goldenSignal } from "./golden-signal.ts";

describe("audioEvents", () => {
  const where = { stream: "s", sensor: "audio", startUs: 1000 };

  it("wraps each vector of a 16 kHz signal as one numbered event", () => {
    const signal = goldenSignal().subarray(0, 5000);
    const events = audioEvents(signal, { ...where, sampleRate: 16_000 });
    const vectors = collectMfcc(new MfccStream(), signal, 1000);
    expect(events).toEqual(
      vectors.map(({ timeUs, availableUs, values }, seq) => ({
        kind: "audio",
        stream: "s",
        sensor: "audio",
        timeUs,
        seq,
        convention: mfccConventions.centred,
        availableUs,
        values: Float32Array.from(values),
      })),
    );
  });

  it("resamples other rates and counts the filter's delay as part of the wait", () => {
    const signal = new Float32Array(8000).map((_, n) => Math.sin(n / 10) / 2);
    const events = audioEvents(signal, { ...where, sampleRate: 8000 });
    expect(events.length).toBe(99);
    const [first] = events;
    expect(first!.availableUs - first!.timeUs).toBe(52_500 + resamplerDelayUs(8000));
  });

  it("computes the convention asked for", () => {
    const convention = mfccConventions.causal;
    const [first] = audioEvents(goldenSignal(), { ...where, sampleRate: 16_000, convention });
    expect(first!.convention).toBe(convention);
    expect(first!.availableUs - first!.timeUs).toBe(12_500);
  });
});
