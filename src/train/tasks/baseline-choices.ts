import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { isBaseline, needsTimeInput } from "./cell-name.ts";
import type { NmnistOptions } from "./nmnist.ts";
import type { CellOptions } from "./task-network.ts";

/** Choices of cells and networks that others are compared with, and what they exclude. */
export interface BaselineChoices {
  readonly cell?: CellOptions["cell"];
  /** U starts as the identity times this. */
  readonly identity?: number;
  readonly network?: NmnistOptions["network"];
  /** Backend of tfjs, for networks that need it. */
  readonly backend?: string;
  readonly learn?: readonly string[];
  readonly op?: CellOptions["op"];
  /** Parts of a batch whose gradients are summed in order, on threads or not. */
  readonly shards?: number;
}

/**
 * Refuses what does not go together with a cell that is there for comparison, or with a CNN.
 *
 * @throws {PolyphaseError} USAGE
 */
export function refuseBaselineChoices(name: string, choices: BaselineChoices): void {
  const { cell = "phased-lstm", network, learn = [], op, shards } = choices;
  const isFrames = network === "frame-cnn";
  const hasCell = (choices.cell ?? choices.identity) !== undefined || learn.length > 0;
  if (isFrames && (name !== "nmnist" || hasCell)) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train ${name} with network frame-cnn: it is for nmnist, and takes no choice of cell or gates`,
    );
  }
  if (needsTimeInput(cell) && learn.length > 0) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot learn ${learn.join(",")}: cell must have a time gate, got ${cell}`,
    );
  }
  if (name === "audio-visual" && (isBaseline(cell) || choices.identity !== undefined)) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train ${name} with cell ${cell} or an identity: both are for networks of one layer`,
    );
  }
  if (!isBaseline(cell) && !isFrames) return;
  const what = isFrames ? "frame-cnn" : cell;
  if (op === "typescript") {
    throw new PolyphaseError("USAGE", `Cannot train ${what}: op must be wasm, got typescript`);
  }
  if (shards !== undefined) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train ${what} in shards or on threads: it takes a batch as a whole`,
    );
  }
}
