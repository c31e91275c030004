import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { FeatureSensorSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import type { RowSource } from "./held-rows.ts";

/** The features of one sensor in a batch, normalised, in order of its events. */
export interface TrainedSensor extends RowSource {
  readonly spec: FeatureSensorSpec;
  readonly eventsMax: number;
  /** Events written. */
  events: number;
}

/** Sequences of events of several sensors, in order of (time, sensor) inside each. */
export interface GraphBatch {
  readonly sensors: readonly TrainedSensor[];
  /** [B + 1]: sequence b has events `offsets[b]` to `offsets[b + 1]`. */
  readonly offsets: Int32Array;
  /** Of each event. */
  readonly timeUs: Float64Array;
  readonly sensor: Uint8Array;
  /** Of each answer asked for: its sequence, events of the batch before it, and the truth. */
  readonly readSequence: Int32Array;
  readonly readAt: Int32Array;
  readonly targets: Float64Array;
  sequences: number;
  readings: number;
}

export function createGraphBatch(
  sensors: readonly TrainedSensor[],
  sequencesMax: number,
): GraphBatch {
  const eventsMax = sensors.reduce((sum, sensor) => sum + sensor.eventsMax, 0);
  return {
    sensors,
    offsets: new Int32Array(sequencesMax + 1),
    timeUs: new Float64Array(eventsMax),
    sensor: new Uint8Array(eventsMax),
    // A sequence without an event may be asked too.
    readSequence: new Int32Array(eventsMax + sequencesMax),
    readAt: new Int32Array(eventsMax + sequencesMax),
    targets: new Float64Array(eventsMax + sequencesMax),
    sequences: 0,
    readings: 0,
  };
}

/** Fills a batch from its start. */
export class GraphBatchWriter implements SequenceWriter {
  readonly #batch: GraphBatch;
  #events = 0;

  constructor(batch: GraphBatch) {
    this.#batch = batch;
    batch.sequences = 0;
    batch.readings = 0;
    for (const sensor of batch.sensors) sensor.events = 0;
  }

  /** Sequences written. */
  get sequences(): number {
    return this.#batch.sequences;
  }

  hasRoom(): boolean {
    const { sequences, offsets, sensors } = this.#batch;
    const isFull = sensors.some((sensor) => sensor.events === sensor.eventsMax);
    return sequences < offsets.length - 1 && !isFull;
  }

  event(timeUs: TimeUs, first: number, second: number): void {
    const { size } = this.#batch.sensors[0]!;
    this.item(0, timeUs, [first, second].slice(0, size));
  }

  pixel(): void {
    throw new RangeError("Cannot write a pixel: no sensor of the graph is an event camera");
  }

  /** @throws {PolyphaseError} BAD_DATA for what the graph could not take, or takes for ever */
  item(sensor: number, timeUs: TimeUs, values: ArrayLike<number>): void {
    const { sensors, timeUs: times, sensor: order, offsets, sequences } = this.#batch;
    const target = sensors[sensor]!;
    const { spec, rows, size } = target;
    const isFirst = this.#events === offsets[sequences];
    const before = isFirst ? -1 : times[this.#events - 1]!;
    if (!(timeUs > before || (timeUs === before && sensor >= order[this.#events - 1]!))) {
      const last = isFirst ? "" : ` after sensor ${order[this.#events - 1]} at ${before}`;
      throw this.#badEvent(
        `events must be in order of time, then sensor, from 0 µs on, got sensor ${sensor} at ${timeUs}${last}`,
      );
    }
    if (values.length !== size) {
      throw this.#badEvent(`${spec.name} must have ${size} values, got ${values.length}`);
    }
    if (target.events === target.eventsMax) {
      throw this.#badEvent(`a batch must hold at most ${target.eventsMax} events of ${spec.name}`);
    }
    for (let d = 0; d < size; d++) {
      const value = (values[d]! - (spec.mean[d] ?? 0)) / (spec.deviation[d] ?? 1);
      if (!Number.isFinite(value)) {
        throw this.#badEvent(`${spec.name} must be finite, got ${values[d]} at index ${d}`);
      }
      rows[target.events * size + d] = value;
    }
    times[this.#events] = timeUs;
    order[this.#events] = sensor;
    target.events += 1;
    this.#events += 1;
  }

  read(target: number): void {
    const batch = this.#batch;
    batch.readSequence[batch.readings] = batch.sequences;
    batch.readAt[batch.readings] = this.#events;
    batch.targets[batch.readings] = target;
    batch.readings += 1;
  }

  endRecording(): void {
    this.#batch.sequences += 1;
    this.#batch.offsets[this.#batch.sequences] = this.#events;
  }

  /** The plan of each head says how many ticks are read, so the share is not used. */
  endSequence(target: number): void {
    this.read(target);
    this.endRecording();
  }

  #badEvent(what: string): PolyphaseError {
    const { offsets, sequences } = this.#batch;
    const event = this.#events - offsets[sequences]!;
    return new PolyphaseError(
      "BAD_DATA",
      `Cannot train on event ${event} of sequence ${sequences}: ${what}`,
    );
  }
}

/** A sensor's part of a batch. */
export function createTrainedSensor(
  spec: FeatureSensorSpec,
  limits: { readonly sequencesMax: number; readonly eventsMax: number },
  floats: (length: number) => FloatArray,
): TrainedSensor {
  return {
    spec,
    size: spec.size,
    eventsMax: limits.eventsMax,
    events: 0,
    rows: floats(limits.eventsMax * spec.size),
    carried: floats(limits.sequencesMax * spec.size),
    gradient: undefined,
  };
}
