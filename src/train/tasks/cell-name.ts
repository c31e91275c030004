import type { LayerSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { BaselineCell } from "../baselines/create-baseline-op.ts";

/**
 * Recurrent cells by their names on the command line: Phased LSTM with the triangular or the square
 * gate; LSTM without a gate; and for comparison only the batch-normalised LSTM and plain recurrent
 * units (tanh, or relu as in an IRNN).
 */
export type CellName = "phased-lstm" | "square-lstm" | "lstm" | BaselineCell;

export const cellNames: readonly CellName[] = [
  "phased-lstm",
  "square-lstm",
  "lstm",
  "bn-lstm",
  "tanh-rnn",
  "relu-rnn",
];

/** Whether a cell is there for comparison only, and not computed by the sequence op. */
export function isBaseline(cell: CellName): cell is BaselineCell {
  return cell === "bn-lstm" || cell === "tanh-rnn" || cell === "relu-rnn";
}

/** Gate of a cell that the sequence op computes. */
export function gateOf(cell: Exclude<CellName, BaselineCell>): "always" | "square" | "phase" {
  if (cell === "lstm") return "always";
  return cell === "square-lstm" ? "square" : "phase";
}

/**
 * Cell and gate of a layer of a graph.
 *
 * @throws {PolyphaseError} USAGE for a cell that is there for comparison only
 */
export function layerCellOf(cell: CellName): Pick<LayerSpec, "cell" | "gate"> {
  if (isBaseline(cell)) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train a graph: cell must be phased-lstm, square-lstm or lstm, got ${cell}`,
    );
  }
  return { cell: cell === "lstm" ? "lstm" : "phased-lstm", gate: { mode: gateOf(cell) } };
}

/** Whether a cell knows the time only if it is one of its inputs. */
export function needsTimeInput(cell: CellName): boolean {
  return cell !== "phased-lstm" && cell !== "square-lstm";
}
