import type { Random } from "../../sensors/random.ts";
import { createAddressEmbedding } from "../network/address-embedding.ts";
import { type GateInitializer, initializeGates } from "../network/gate-initializer.ts";
import type { LossKind } from "../network/loss.ts";
import { createReadout } from "../network/readout.ts";
import {
  type GateLearning,
  initializeWeights,
  type WeightInitializer,
} from "../network/recurrent-layer.ts";
import { SequenceNetwork } from "../network/sequence-network.ts";
import { createSequenceOp, type SequenceOpName } from "../sequence-op/create-sequence-op.ts";

/** What all tasks let one choose about the recurrent layer. */
export interface CellOptions {
  readonly op: SequenceOpName;
  /** `square-lstm` has the square gate; `lstm` no time gate, and the time as an input instead. */
  readonly cell: "phased-lstm" | "square-lstm" | "lstm";
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
  const { units, gates } = options;
  const gate =
    options.cell === "lstm" ? "always" : options.cell === "square-lstm" ? "square" : "phase";
  // Open ratios may grow while they are learned.
  const evaluate = options.evaluate ?? "open";
  const isAll = gate === "always" || evaluate === "all" || options.learn.openRatio;
  const openMax = isAll ? 1 : Math.min(1, 1.6 * gates.openRatio);
  const layer = createSequenceOp(
    options.op,
    { inputs: sizes.inputs, units, gate, evaluate },
    {
      sequencesMax: sizes.sequencesMax,
      eventsMax: sizes.eventsMax,
      openUnitsMax: Math.ceil(sizes.eventsMax * units * openMax),
    },
  );
  initializeWeights(layer, sizes.weights, random);
  initializeGates(layer.parameters, gates, random);
  return new SequenceNetwork({
    layer,
    embedding:
      sizes.embedding === undefined
        ? undefined
        : createAddressEmbedding(sizes.embedding, layer, random),
    readout: createReadout(layer, sizes.outputs, random),
    loss: sizes.loss,
    learning: options.learn,
  });
}
