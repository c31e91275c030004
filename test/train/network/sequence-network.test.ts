import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import { createAddressEmbedding } from "../../../src/train/network/address-embedding.ts";
import { BatchWriter } from "../../../src/train/network/batch-writer.ts";
import { initializeGates } from "../../../src/train/network/gate-initializer.ts";
import { createReadout } from "../../../src/train/network/readout.ts";
import { initializeWeights, layerGroups } from "../../../src/train/network/recurrent-layer.ts";
import { SequenceNetwork } from "../../../src/train/network/sequence-network.ts";
import { createSequenceOp } from "../../../src/train/sequence-op/create-sequence-op.ts";

/** Event-camera sequences into a small network in float64, so that differences are exact enough. */
function pixelNetwork(loss: "cross-entropy" | "squared-error"): SequenceNetwork {
  const random = new Random(5);
  const layer = createSequenceOp(
    "reference",
    { inputs: 4, units: 6, gate: "phase", evaluate: "open" },
    { sequencesMax: 3, eventsMax: 60, openUnitsMax: 360 },
  );
  initializeWeights(
    layer,
    { input: 0.5, recurrent: 0.3, peephole: 0.3, bias: [-0.1, 0, 0, 0] },
    random,
  );
  initializeGates(
    layer.parameters,
    { periodUs: [20_000, 40_000], openRatio: 0.4, spread: "stratified" },
    random,
  );
  const network = new SequenceNetwork({
    layer,
    layerGroups: layerGroups(layer, "layer", {
      period: true,
      shift: true,
      openRatio: true,
      rateFactor: 0.1,
    }),
    embedding: createAddressEmbedding({ width: 3, height: 2, dimensions: 3 }, layer, random),
    readout: createReadout(layer, loss === "cross-entropy" ? 4 : 1, random),
    loss,
  });
  const writer = new BatchWriter(network);
  for (const [length, target] of [
    [20, 2],
    [1, 0],
    [17, 3],
  ] as const) {
    for (let j = 0; j < length; j++) {
      writer.pixel(j * 3_100, random.below(6), random.below(2));
    }
    writer.endSequence(target, 0.2);
  }
  return network;
}

describe.each(["cross-entropy", "squared-error"] as const)("SequenceNetwork with %s", (loss) => {
  it("has the gradients of the mean loss by every parameter, the embedding included", () => {
    const network = pixelNetwork(loss);
    network.trainBatch(3);
    for (const { name, values, gradient } of network.groups) {
      const step = 1e-6;
      let worst = 0;
      let largest = 1e-9;
      for (let m = 0; m < values.length; m++) {
        const value = values[m]!;
        values[m] = value + step;
        const above = network.evaluateBatch(3).loss / 3;
        values[m] = value - step;
        const below = network.evaluateBatch(3).loss / 3;
        values[m] = value;
        worst = Math.max(worst, Math.abs((above - below) / (2 * step) - gradient[m]!));
        largest = Math.max(largest, Math.abs(gradient[m]!));
      }
      expect(worst / largest, name).toBeLessThan(1e-5);
    }
  });
});

describe("initializeGates", () => {
  it("keeps the share of open units even at every moment if stratified, and not if random", () => {
    const spreadOf = (spread: "stratified" | "random"): number => {
      const op = createSequenceOp(
        "reference",
        { inputs: 1, units: 110, gate: "phase", evaluate: "open" },
        { sequencesMax: 1, eventsMax: 1, openUnitsMax: 110 },
      );
      const initializer = { periodUs: [40_000, 40_000], openRatio: 0.05, spread } as const;
      initializeGates(op.parameters, initializer, new Random(3));
      op.batch.offsets[1] = 1;
      const counts = Array.from({ length: 400 }, (_, j) => {
        op.batch.timeUs[0] = j * 311;
        return op.forward(1);
      });
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      expect(mean / 110).toBeCloseTo(0.05, 2);
      return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
    };
    expect(spreadOf("stratified")).toBeLessThan(0.2 * spreadOf("random"));
  });
});
