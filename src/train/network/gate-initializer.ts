import type { Random } from "../../sensors/random.ts";
import { openLogitOf, type SequenceTensors } from "../sequence-op/sequence-op.ts";

/** How the time gates of a layer start. */
export interface GateInitializer {
  /** Periods lie in [from, to], uniform in log τ; equal ends fix them. */
  readonly periodUs: readonly [from: number, to: number];
  readonly openRatio: number;
  /**
   * - `stratified`: log τ at even steps, shifts a golden-ratio sequence: the share of open units
   *   is r_on at every moment, not only on average.
   * - `random`: both drawn.
   */
  readonly spread: "stratified" | "random";
}

/** Writes θ, σ and ρ of all units. */
export function initializeGates(
  tensors: SequenceTensors,
  initializer: GateInitializer,
  random: Random,
): void {
  const { logPeriod, shift, openLogit } = tensors;
  const units = logPeriod.length;
  const from = Math.log(initializer.periodUs[0]);
  const range = Math.log(initializer.periodUs[1]) - from;
  const isStratified = initializer.spread === "stratified";
  for (let u = 0; u < units; u++) {
    logPeriod[u] = from + range * (isStratified ? (u + 0.5) / units : random.uniform());
    shift[u] = isStratified ? (0.37 + 0.618034 * u) % 1 : random.uniform();
  }
  openLogit.fill(openLogitOf(initializer.openRatio));
}
