import type { TimeUs } from "../../sensors/time.ts";
import type { SequenceNetwork } from "./sequence-network.ts";

/** Fills a network's batch sequence by sequence. */
export class BatchWriter {
  readonly #network: SequenceNetwork;
  #sequences = 0;
  #events = 0;

  constructor(network: SequenceNetwork) {
    this.#network = network;
    network.layer.batch.offsets[0] = 0;
  }

  /** Sequences written. */
  get sequences(): number {
    return this.#sequences;
  }

  /** Whether so many more events may be written. */
  fits(events: number): boolean {
    const { sequencesMax, eventsMax } = this.#network.layer.limits;
    return this.#sequences < sequencesMax && this.#events + events <= eventsMax;
  }

  /** Appends an event with input vector (first, second) to the sequence at hand. */
  event(timeUs: TimeUs, first: number, second: number): void {
    const { batch, shape } = this.#network.layer;
    batch.timeUs[this.#events] = timeUs;
    batch.x[this.#events * shape.inputs] = first;
    if (shape.inputs > 1) batch.x[this.#events * shape.inputs + 1] = second;
    this.#events += 1;
  }

  /** Appends an event of an event camera. */
  pixel(timeUs: TimeUs, address: number, on: number): void {
    const { layer, embedding } = this.#network;
    layer.batch.timeUs[this.#events] = timeUs;
    embedding!.address[this.#events] = address;
    embedding!.on[this.#events] = on;
    this.#events += 1;
  }

  /**
   * Ends the sequence at hand.
   *
   * @param target class or value
   * @param readShare share of its events, the last ones, whose h is read; at least one event
   */
  endSequence(target: number, readShare: number): void {
    const { batch } = this.#network.layer;
    const from = batch.offsets[this.#sequences]!;
    const read = Math.max(1, Math.round(readShare * (this.#events - from)));
    batch.readFrom[this.#sequences] = Math.max(from, this.#events - read);
    this.#network.targets[this.#sequences] = target;
    this.#sequences += 1;
    batch.offsets[this.#sequences] = this.#events;
  }
}
