import { describe, expect, it } from "vitest";
import {
  checkAudioConvention,
  mfccConventions,
} from "../../../src/sensors/audio/mfcc-convention.ts";

describe("checkAudioConvention", () => {
  it("accepts equal conventions", () => {
    expect(() =>
      checkAudioConvention(mfccConventions.centred, "mfcc39/psf-hamming/v1"),
    ).not.toThrow();
  });

  it("refuses different ones and names both", () => {
    expect(() => checkAudioConvention(mfccConventions.causal, mfccConventions.centred)).toThrow(
      'convention must be "mfcc39/psf-hamming/v1" as the model was trained on, got "mfcc39/psf-hamming-causal/v1"',
    );
  });
});
