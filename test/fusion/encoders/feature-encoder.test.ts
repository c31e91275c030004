import { describe, expect, it } from "vitest";
import { createFeatureEncoder } from "../../../src/fusion/encoders/feature-encoder.ts";
import { mfccConventions } from "../../../src/sensors/audio/mfcc-convention.ts";
import type { AudioEvent } from "../../../src/sensors/sensor-event.ts";

const encoder = createFeatureEncoder({
  name: "audio",
  kind: "audio",
  size: 2,
  convention: mfccConventions.centred,
  mean: [10, 20],
  deviation: [2, 4],
});

function event(fields: Partial<AudioEvent>): AudioEvent {
  const item = { kind: "audio", stream: "s", sensor: "audio", timeUs: 12_500, seq: 0 } as const;
  const values = Float32Array.of(14, 16);
  const convention = mfccConventions.centred;
  return { ...item, convention, availableUs: 65_000, values, ...fields };
}

describe("createFeatureEncoder", () => {
  it("normalises by the model's mean and deviation", () => {
    const out = new Float64Array(2);
    encoder.validate(event({}));
    encoder.encode(out, event({}), 0);
    expect([...out]).toEqual([2, -1]);
  });

  it("refuses features of another convention, naming both", () => {
    expect(() => encoder.validate(event({ convention: mfccConventions.causal }))).toThrow(
      "expected features mfcc39/psf-hamming/v1, got mfcc39/psf-hamming-causal/v1",
    );
  });

  it("refuses other lengths and values that would stay in the state for ever", () => {
    expect(() => encoder.validate(event({ values: new Float32Array(3) }))).toThrow(
      "expected 2 values, got 3",
    );
    expect(() => encoder.validate(event({ values: Float32Array.of(1, Number.NaN) }))).toThrow(
      "expected finite values, got NaN at index 1",
    );
  });
});
