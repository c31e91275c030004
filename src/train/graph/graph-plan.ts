import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import type { GateInitializer } from "../network/gate-initializer.ts";
import type { GateLearning, WeightInitializer } from "../network/recurrent-layer.ts";
import type { SequenceOpName } from "../sequence-op/create-sequence-op.ts";

/** A graph of inference, and how each of its parts is trained. */
export interface GraphPlan {
  /** The graph as it will run; layers merge by `concat`. */
  readonly spec: GraphSpec;
  /** By name of the layer. */
  readonly layers: Readonly<Record<string, LayerPlan>>;
  /** By name of the head. The first head of the graph is the one whose accuracy counts. */
  readonly heads: Readonly<Record<string, HeadPlan>>;
  readonly op: SequenceOpName;
  /**
   * - `graph`: errors go back through the whole graph.
   * - `local`: no layer tells those below it. Each layer learns from a linear read-out of its own,
   *   so that one layer's batch is all that must be kept.
   */
  readonly errors: "graph" | "local";
  readonly limits: GraphLimits;
}

/** Most that one batch may hold. */
export interface GraphLimits {
  readonly sequencesMax: number;
  /** Events of all sequences together, by name of the sensor. */
  readonly eventsMax: Readonly<Record<string, number>>;
}

export interface LayerPlan {
  readonly weights: WeightInitializer;
  /** Not used where the gate has no period, or is aligned by hand. */
  readonly gates: GateInitializer;
  readonly learn: GateLearning;
  /** What the learning rate is multiplied with; 0 freezes the layer. */
  readonly rateFactor: number;
  /** Share of the layer's inputs that is left out while training, in [0, 1). */
  readonly dropout: number;
}

export interface HeadPlan {
  /** Share of the loss. */
  readonly lossWeight: number;
  /** The answer is a mean over so many ticks with news below the head, the last ones. */
  readonly readTicks: number;
  readonly rateFactor: number;
}
