import { describe, expect, it } from "vitest";
import { presets } from "../../../src/fusion/presets/presets.ts";
import { CapturedSequences } from "../../../src/train/evaluate/captured-sequences.ts";

describe("CapturedSequences", () => {
  it("refuses a model with fewer sensors than the task", () => {
    const captured = new CapturedSequences(presets["nmnist"]!.spec);
    expect(() => captured.item(1, 0, [1])).toThrow(
      "the model must have at least 2 sensors, as the task has, got dvs",
    );
  });
});
