import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { RecurrentOp } from "../sequence-op/sequence-op.ts";
import type { AddressEmbedding } from "./address-embedding.ts";
import { firstRead, type SequenceWriter } from "./sequence-writer.ts";

/** What a batch of a network of one layer is written to. */
interface WrittenNetwork {
  readonly layer: RecurrentOp;
  readonly embedding: AddressEmbedding | undefined;
  readonly targets: Float64Array;
}

/** Fills a network's batch sequence by sequence. */
export class BatchWriter implements SequenceWriter {
  readonly #network: WrittenNetwork;
  #sequences = 0;
  #events = 0;

  constructor(network: WrittenNetwork) {
    this.#network = network;
    network.layer.batch.offsets[0] = 0;
  }

  /** Sequences written. */
  get sequences(): number {
    return this.#sequences;
  }

  hasRoom(): boolean {
    const { sequencesMax, eventsMax } = this.#network.layer.limits;
    return this.#sequences < sequencesMax && this.#events < eventsMax;
  }

  /** @throws {PolyphaseError} BAD_DATA for what is not a number: recurrent state would keep it */
  event(timeUs: TimeUs, first: number, second: number): void {
    if (!Number.isFinite(timeUs + first + second)) {
      const event = this.#events - this.#network.layer.batch.offsets[this.#sequences]!;
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot train on sequence ${this.#sequences}: time and features of event ${event} must be finite, got ${timeUs} µs, ${first}, ${second}`,
      );
    }
    const { batch, shape } = this.#network.layer;
    batch.timeUs[this.#events] = timeUs;
    batch.x[this.#events * shape.inputs] = first;
    if (shape.inputs > 1) batch.x[this.#events * shape.inputs + 1] = second;
    this.#events += 1;
  }

  pixel(timeUs: TimeUs, address: number, on: number): void {
    const { layer, embedding } = this.#network;
    layer.batch.timeUs[this.#events] = timeUs;
    embedding!.address[this.#events] = address;
    embedding!.on[this.#events] = on;
    this.#events += 1;
  }

  endSequence(target: number, readShare: number): void {
    const { batch } = this.#network.layer;
    const from = batch.offsets[this.#sequences]!;
    batch.readFrom[this.#sequences] = from + firstRead(this.#events - from, readShare);
    this.#network.targets[this.#sequences] = target;
    this.#sequences += 1;
    batch.offsets[this.#sequences] = this.#events;
  }
  item(): void {
    throw needsGraph();
  }

  read(): void {
    throw needsGraph();
  }

  endRecording(): void {
    throw needsGraph();
  }
}

function needsGraph(): RangeError {
  return new RangeError("Cannot write a recording: it needs a graph, got a network of one layer");
}
