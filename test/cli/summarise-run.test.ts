import { describe, expect, it } from "vitest";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { presetModel } from "../../src/cli/load-model.ts";
import { type LayerWork, summariseRun } from "../../src/cli/summarise-run.ts";
import { createFusionModel } from "../../src/fusion/fusion-model.ts";

function layersFoundBy(scheduling: "scan" | "wheel"): readonly LayerWork[] {
  const { spec, weights, hash } = presetModel("scene", 1);
  const model = createFusionModel(spec, weights, hash, createWasmKernel({ scheduling }));
  const run = { model, weights: "", recordings: [], predictions: 0, digest: "" };
  return summariseRun(run, new Map(), { dropped: {}, anomalies: {} }, 0, 1).layers;
}

describe("summariseRun()", () => {
  it("says which layers a timing wheel found the open units of", () => {
    const wheels = layersFoundBy("wheel").map(({ name, scheduling }) => [name, scheduling]);
    expect(wheels).toContainEqual(["merge-1", "wheel"]);
    // Its gate opens at every event of its own: there is nothing to find.
    expect(wheels).toContainEqual(["audio-lstm", undefined]);
    for (const layer of layersFoundBy("scan")) expect(layer).not.toHaveProperty("scheduling");
  });
});
