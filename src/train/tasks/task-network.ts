import type { Random } from "../../sensors/random.ts";
import { createBaselineOp } from "../baselines/create-baseline-op.ts";
import { createAddressEmbedding } from "../network/address-embedding.ts";
import { type GateInitializer, initializeGates } from "../network/gate-initializer.ts";
import type { LossKind } from "../network/loss.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import { createReadout } from "../network/readout.ts";
import {
  type GateLearning,
  initializeWeights,
  layerGroups,
  type WeightInitializer,
} from "../network/recurrent-layer.ts";
import { SequenceNetwork } from "../network/sequence-network.ts";
import { createSequenceOp, type SequenceOpName } from "../sequence-op/create-sequence-op.ts";
import type { RecurrentOp } from "../sequence-op/sequence-op.ts";
import { type CellName, gateOf, isBaseline } from "./cell-name.ts";

/** What all tasks let one choose about the recurrent layer. */
export interface CellOptions {
  readonly op: SequenceOpName;
  readonly cell: CellName;
  /** U of every gate starts as the identity times this; by default it is drawn. */
  readonly identity?: number;
  readonly units: number;
  readonly gates: GateInitializer;
  readonly learn: GateLearning;
  /** Evaluates closed units too: needed where the recipe leaks. */
  readonly evaluate?: "open" | "all";
}

/** What a task decides. */
export interface TaskSizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly loss: LossKind;
  readonly embedding:
    | { readonly width: number; readonly height: number; readonly dimensions: number }
    | undefined;
  readonly weights: WeightInitializer;
  readonly sequencesMax: number;
  readonly eventsMax: number;
}

/** A network of one layer of the chosen cell. */
export function createTaskNetwork(
  options: CellOptions,
  random: Random,
  sizes: TaskSizes,
): SequenceNetwork {
  const weights =
    options.identity === undefined
      ? sizes.weights
      : { ...sizes.weights, identity: options.identity };
  const { layer, groups } = createLayer(options, random, { ...sizes, weights });
  return new SequenceNetwork({
    layer,
    layerGroups: groups,
    embedding:
      sizes.embedding === undefined
        ? undefined
        : createAddressEmbedding(sizes.embedding, layer, random),
    readout: createReadout(layer, sizes.outputs, random),
    loss: sizes.loss,
  });
}

function createLayer(
  options: CellOptions,
  random: Random,
  sizes: TaskSizes,
): { readonly layer: RecurrentOp; readonly groups: readonly ParameterGroup[] } {
  const { units, gates, cell, op } = options;
  const { inputs, sequencesMax, eventsMax, weights } = sizes;
  if (isBaseline(cell)) {
    const limits = { sequencesMax, eventsMax, openUnitsMax: eventsMax * units };
    const layer = createBaselineOp(cell, op, { shape: { inputs, units }, limits }, weights, random);
    return { layer, groups: layer.groups };
  }
  const gate = gateOf(cell);
  // Open ratios may grow while they are learned.
  const evaluate = options.evaluate ?? "open";
  const isAll = gate === "always" || evaluate === "all" || options.learn.openRatio;
  const openMax = isAll ? 1 : Math.min(1, 1.6 * gates.openRatio);
  const openUnitsMax = Math.ceil(eventsMax * units * openMax);
  const layer = createSequenceOp(
    op,
    { inputs, units, gate, evaluate },
    { sequencesMax, eventsMax, openUnitsMax },
  );
  initializeWeights(layer, weights, random);
  initializeGates(layer.parameters, gates, random);
  return { layer, groups: layerGroups(layer, "layer", options.learn) };
}
