import type { GateMode } from "../../cells/gate.ts";
import type { CellKind } from "../../cells/layer-parameters.ts";
import type { TimeUs } from "../../sensors/time.ts";

/** Version of the graph specification this code reads and writes. */
export const graphFormat = "polyphase.graph/v1";

/**
 * The fusion graph as data: what `graph.json` of a model directory holds. Learned numbers are in
 * `weights.safetensors` under the names given in `weight-names.ts`.
 */
export interface GraphSpec {
  readonly format: typeof graphFormat;
  readonly name: string;
  readonly time: TimeSpec;
  /** In order of priority inside a tick (spec D16). */
  readonly sensors: readonly SensorSpec[];
  /** In order of evaluation: a layer's inputs are sensors and layers named before it. */
  readonly layers: readonly LayerSpec[];
  readonly heads: readonly HeadSpec[];
  /** Where the weights come from: data sets, commands, figures. Shown, never interpreted. */
  readonly provenance: Readonly<Record<string, string | number | boolean>>;
}

/** What the phases of the time gates are counted from (spec D11). */
export interface TimeSpec {
  /**
   * - `session-start`: the session's start marker, or the first event where there is none.
   * - `absolute`: `epochUs`.
   * - `marker`: each session or segment start.
   */
  readonly origin: "session-start" | "absolute" | "marker";
  readonly epochUs: TimeUs;
}

export type SensorSpec = FeatureSensorSpec | VideoSensorSpec | DvsSensorSpec;

/** A sensor whose items are vectors already. */
export interface FeatureSensorSpec {
  readonly name: string;
  readonly kind: "audio" | "scalar";
  /** Length of a vector. */
  readonly size: number;
  /** How audio vectors were computed; "" for scalars. */
  readonly convention: string;
  /** Input is (value − mean) / deviation, element by element; empty arrays leave it as it is. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Grey frames through the paper's encoder: 3 × (conv 5×5×16, 2×2 max pool, ReLU). */
export interface VideoSensorSpec {
  readonly name: string;
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  /** Input is (pixel − mean) / deviation. */
  readonly mean: number;
  readonly deviation: number;
  /** How frames must have been cut out of the camera's pictures; absent: however they were. */
  readonly convention?: string;
}

/** Address embedding of an event camera, and the polarity as one more input of ±1. */
export interface DvsSensorSpec {
  readonly name: string;
  readonly kind: "dvs";
  readonly width: number;
  readonly height: number;
  /** Length of the embedding; the input is one longer. */
  readonly dimensions: number;
}

export type MergeKind = "concat" | "product" | "attention";

export interface LayerSpec {
  readonly name: string;
  readonly cell: CellKind;
  readonly units: number;
  /** Names of sensors and of earlier layers; more than one makes a merge or a skip connection. */
  readonly inputs: readonly string[];
  /** How several inputs become one vector. */
  readonly merge: MergeKind;
  /** What a silent input is to a merge: its held value (spec D3), or zero. */
  readonly onSilence: "hold" | "zero";
  readonly gate: GateSpec;
  /** Present if a compute budget may narrow r_on. */
  readonly governed?: GovernedSpec;
}

export interface GovernedSpec {
  /** Least share of its r_on that the layer may be narrowed to, in (0, 1]. */
  readonly floor: number;
}

/** τ, s and r_on of `phase` and `square` are weights; those of `aligned` are set by hand. */
export type GateSpec =
  | { readonly mode: Exclude<GateMode, "aligned"> }
  | {
      readonly mode: "aligned";
      readonly periodUs: number;
      /** A time at which every unit is fully open. */
      readonly alignUs: TimeUs;
      readonly openRatio: number;
    };

/** When a head's value becomes a prediction. */
export type OutputRole = "every-tick" | "on-change" | "last" | "per-segment";

export type HeadSpec = SoftmaxHeadSpec | LinearHeadSpec | MixtureHeadSpec;

interface HeadBase {
  readonly name: string;
  /** Names of layers and sensors; their outputs side by side are the head's input. */
  readonly inputs: readonly string[];
  readonly output: OutputRole;
}

/** Probabilities of classes. */
export interface SoftmaxHeadSpec extends HeadBase {
  readonly type: "softmax";
  readonly labels: readonly string[];
}

/** Regression. */
export interface LinearHeadSpec extends HeadBase {
  readonly type: "linear";
  readonly size: number;
}

/** Density of a vector as a mixture of Gaussians with diagonal covariance (Bishop 1994). */
export interface MixtureHeadSpec extends HeadBase {
  readonly type: "mixture";
  readonly components: number;
  readonly dimensions: number;
  /**
   * Sensor whose next features the mixture is of. Each of its events is scored by how surprising it
   * is: −ln p under what the head said before it.
   */
  readonly predicts?: string;
}
