import type { Prediction } from "../fusion/prediction.ts";

/** Where predictions go. */
export interface Sink {
  /**
   * Takes predictions in order. A promise means "not yet": the pipeline waits for it before it
   * hands over more, and acknowledges what they came from when it has resolved.
   */
  write(predictions: readonly Prediction[]): void | Promise<void>;
  /** Called once after the last write; resolves when everything is where it belongs. */
  close(): Promise<void>;
}
