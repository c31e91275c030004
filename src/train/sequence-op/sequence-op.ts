import { type GateMode, hasOscillator } from "../../cells/gate.ts";
import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { floatsBeside } from "./parameter-kernels.ts";

/** What one recurrent layer of Phased LSTM units looks like while it is trained. */
export interface SequenceShape {
  /** I */
  readonly inputs: number;
  /** H */
  readonly units: number;
  readonly gate: GateMode;
  /** Whether closed units are skipped, forward and backward. At α = 0 both give the same numbers. */
  readonly evaluate: "open" | "all";
}

/** Most that one batch may hold; memory is taken once, for these. */
export interface SequenceLimits {
  readonly sequencesMax: number;
  /** Events of all sequences of a batch together. */
  readonly eventsMax: number;
  /** Units evaluated at all events of a batch together, at most `eventsMax` · H. */
  readonly openUnitsMax: number;
}

/** Learned numbers of one layer, or the loss's derivatives by them. */
export interface SequenceTensors {
  /**
   * [H, L / 4, 4, 4]: of each unit the weights of v = [h, x, 1, 0 …] in groups of four elements of
   * v, in each group gate by gate (i, f, g, o), so that U, W and b of an open unit are one stream.
   * L is H + I + 1 rounded up to a multiple of 8.
   */
  readonly rows: FloatArray;
  /** w_ci, w_cf, w_co [3, H]. */
  readonly peepholes: FloatArray;
  /** θ = ln(τ / 1 µs) [H]. */
  readonly logPeriod: Float64Array;
  /** σ = s / τ [H], in cycles. */
  readonly shift: Float64Array;
  /** ρ [H], where r_on = r_min + (1 − r_min) · sigmoid(ρ). */
  readonly openLogit: Float64Array;
}

/** One batch, written by the caller: sequences of any length one behind the other. */
export interface SequenceBatch {
  /** [B + 1]: sequence b has events `offsets[b]` to `offsets[b + 1]`. */
  readonly offsets: Int32Array;
  /** [N], never decreasing inside a sequence; float64, since phases come from it (spec D10). */
  readonly timeUs: Float64Array;
  /** [N, I] */
  readonly x: FloatArray;
  /** [B]: h is put out, and its derivative read, from this event of the batch on. */
  readonly readFrom: Int32Array;
  /** [N, H] output of the layer at the events that are read. */
  readonly h: FloatArray;
  /** [N, H] derivative of the loss by `h`, by the caller between forward and backward. */
  readonly hGradient: FloatArray;
  /** [N, I] derivative of the loss by `x`; zero where no unit was evaluated. */
  readonly xGradient: FloatArray;
  /** [B, H] and [B, H]: where a sequence starts, and after `forward` where it ended. */
  readonly stateH: FloatArray;
  readonly stateC: FloatArray;
}

/**
 * A recurrent layer over whole sequences, forward and backward (BPTT).
 *
 * Call `forward`, write `batch.hGradient`, call `backward`. Parameters must not change in between.
 */
export interface RecurrentOp {
  readonly shape: Pick<SequenceShape, "inputs" | "units">;
  readonly limits: SequenceLimits;
  readonly batch: SequenceBatch;
  /**
   * α of Eq. 6, 0 at first; not 0 only where `evaluate` is `"all"`, since a leaking unit is never
   * quite closed.
   */
  leak: number;
  /**
   * @param sequences B, sequences in the batch
   * @param isTraining whether `backward` follows: batch normalisation then takes its statistics
   *   from the batch
   * @returns open units, summed over events
   * @throws {RangeError} if the batch is larger than the limits, or α cannot be
   */
  forward(sequences: number, isTraining: boolean): number;
  backward(sequences: number): void;
}

/** A layer of Phased LSTM units. */
export interface SequenceOp extends RecurrentOp {
  readonly shape: SequenceShape;
  readonly parameters: SequenceTensors;
  /** `backward` adds to these; whoever takes a step sets them to zero. */
  readonly gradients: SequenceTensors;
  forward(sequences: number): number;
}

/** Whether a layer is one that the sequence op computes, and the streaming graph can run. */
export function isSequenceOp(layer: RecurrentOp): layer is SequenceOp {
  return "parameters" in layer;
}

/** Least open ratio: r_on stays above it however ρ is learned (spec 1.7). */
export const openRatioMin = 1e-3;

/** L of a layer: length of v. */
export function rowLength(shape: Pick<SequenceShape, "inputs" | "units">): number {
  return Math.ceil((shape.units + shape.inputs + 1) / 8) * 8;
}

/** Zeros in the precision a layer computes in, and in its memory while that has room. */
export function floatsLike(op: Pick<RecurrentOp, "batch">, length: number): FloatArray {
  return floatsBeside(op.batch.x, length);
}

/** Where `rows` has the weight of gate `gate` (0 … 3) of `unit` for element `m` of v. */
export function rowIndex(length: number, unit: number, gate: number, m: number): number {
  return unit * 4 * length + (m >> 2) * 16 + gate * 4 + (m & 3);
}

/** True where k depends on φ by Eq. 6, so that τ, s and r_on have gradients. */
export function isTriangular(gate: GateMode): boolean {
  return gate === "phase" || gate === "aligned";
}

/** True where a batch evaluates some units only. */
export function skipsClosed({ evaluate, gate }: SequenceShape): boolean {
  return evaluate === "open" && hasOscillator(gate);
}

/** r_on from ρ. */
export function openRatioOf(openLogit: number): number {
  return openRatioMin + (1 - openRatioMin) / (1 + Math.exp(-openLogit));
}

/** ρ from r_on in (r_min, 1). */
export function openLogitOf(openRatio: number): number {
  const share = (openRatio - openRatioMin) / (1 - openRatioMin);
  return Math.log(share / (1 - share));
}

/** @throws {RangeError} if a shape or limit makes no sense. */
export function checkSequenceShape(shape: SequenceShape, limits: SequenceLimits): void {
  const sizes = { inputs: shape.inputs, units: shape.units, ...limits };
  for (const [field, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot create a sequence op: ${field} must be a whole number >= 1, got ${value}`,
      );
    }
  }
}

/** @throws {RangeError} if the batch holds more than the limits, or α cannot be. */
export function checkSequenceBatch(op: SequenceOp, sequences: number): void {
  const { gate, evaluate } = op.shape;
  const mayLeak = evaluate === "all" && isTriangular(gate);
  if (!(op.leak >= 0 && op.leak < 1) || (op.leak > 0 && !mayLeak)) {
    throw new RangeError(
      `Cannot run a batch: leak must be 0, or below 1 where all units of a triangular gate are evaluated, got leak ${op.leak}, gate ${gate}, evaluate ${evaluate}`,
    );
  }
  checkBatchSize(op, sequences);
}

/** @throws {RangeError} if the batch holds more than the limits. */
export function checkBatchSize(op: RecurrentOp, sequences: number): void {
  const { offsets } = op.batch;
  const { sequencesMax, eventsMax } = op.limits;
  if (!(sequences >= 1 && sequences <= sequencesMax)) {
    throw new RangeError(
      `Cannot run a batch: sequences must be from 1 to ${sequencesMax}, got ${sequences}`,
    );
  }
  for (let b = 0; b < sequences; b++) {
    if (offsets[b]! > offsets[b + 1]! || offsets[b + 1]! > eventsMax) {
      throw new RangeError(
        `Cannot run a batch: offsets[${b + 1}] must be from ${offsets[b]} to ${eventsMax}, got ${offsets[b + 1]}`,
      );
    }
  }
}

export function openUnitsExceeded(op: Pick<SequenceOp, "limits">): RangeError {
  return new RangeError(
    `Cannot run a batch: open units must be at most ${op.limits.openUnitsMax} over all its events`,
  );
}
