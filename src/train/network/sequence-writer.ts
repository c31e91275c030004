import type { TimeUs } from "../../sensors/time.ts";

/**
 * Takes labelled sequences event by event: a network's batch, or a list to evaluate.
 *
 * Networks of one layer take `event` or `pixel` and `endSequence`; graphs `item`, `read` and
 * `endRecording`.
 */
export interface SequenceWriter {
  /** Whether one more event may be written. */
  hasRoom(): boolean;
  /** Appends an event with the input vector (first, second) to the sequence at hand. */
  event(timeUs: TimeUs, first: number, second: number): void;
  /**
   * Appends an event of an event camera.
   *
   * @param address y · width + x
   * @param on 1 for ON, 0 for OFF
   */
  pixel(timeUs: TimeUs, address: number, on: number): void;
  /**
   * Ends the sequence at hand.
   *
   * @param target class or value
   * @param readShare share of its events, the last ones, that the answer is a mean over; at least
   *   one event
   */
  endSequence(target: number, readShare: number): void;
  /**
   * Appends an event of one of several sensors to the sequence at hand.
   *
   * @param sensor its index in the graph; events of one time come in this order
   * @param values features, copied
   */
  item(sensor: number, timeUs: TimeUs, values: ArrayLike<number>): void;
  /** Asks for an answer after the events so far: class or value. */
  read(target: number): void;
  /** Ends the sequence at hand, whose answers were asked for by `read`. */
  endRecording(): void;
}

/** First of `events` events that is read. */
export function firstRead(events: number, readShare: number): number {
  return Math.max(0, events - Math.max(1, Math.round(readShare * events)));
}
