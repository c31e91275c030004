import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import { createDvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";

/** A labelled sequence as sensor events, as a recording would hold it. */
export interface LabelledSequence {
  readonly items: readonly SensorEvent[];
  /** Class or value. */
  readonly target: number;
  /** Answers asked for on the way, each after so many items; with them `target` is not used. */
  readonly readings: readonly { readonly after: number; readonly target: number }[];
}

const stream = "evaluation";

/** Collects sequences as events of a graph's sensors: of the first, where none is named. */
export class CapturedSequences implements SequenceWriter {
  #sequences: LabelledSequence[] = [];
  readonly #sensors: GraphSpec["sensors"];
  readonly #sensor: GraphSpec["sensors"][number];
  #items: SensorEvent[] = [];
  #readings: { readonly after: number; readonly target: number }[] = [];
  #pixels: { readonly timeUs: TimeUs; readonly address: number; readonly on: number }[] = [];

  constructor(spec: GraphSpec) {
    this.#sensors = spec.sensors;
    this.#sensor = spec.sensors[0]!;
  }

  /** Those that ended since the last call. */
  take(): LabelledSequence[] {
    const sequences = this.#sequences;
    this.#sequences = [];
    return sequences;
  }

  hasRoom(): boolean {
    return true;
  }

  event(timeUs: TimeUs, first: number, second: number): void {
    const sensor = this.#sensor;
    const values = Float32Array.of(first, second);
    this.#items.push({
      kind: "scalar",
      stream,
      sensor: sensor.name,
      timeUs,
      seq: this.#items.length,
      values: sensor.kind === "scalar" ? values.subarray(0, sensor.size) : values,
    });
  }

  pixel(timeUs: TimeUs, address: number, on: number): void {
    this.#pixels.push({ timeUs, address, on });
  }

  endSequence(target: number): void {
    if (this.#pixels.length > 0) this.#items.push(this.#packetEvent());
    this.#sequences.push({ items: this.#items, target, readings: this.#readings });
    this.#items = [];
    this.#pixels = [];
    this.#readings = [];
  }

  /** @throws {PolyphaseError} BAD_MODEL if the model has fewer sensors than the task */
  item(index: number, timeUs: TimeUs, values: ArrayLike<number>): void {
    const sensor = this.#sensors[index];
    if (sensor === undefined) {
      const names = this.#sensors.map(({ name }) => name).join(", ");
      throw new PolyphaseError(
        "BAD_MODEL",
        `Cannot evaluate: the model must have at least ${index + 1} sensors, as the task has, got ${names}`,
      );
    }
    const base = {
      stream,
      sensor: sensor.name,
      timeUs,
      seq: this.#items.length,
      values: Float32Array.from(values),
    };
    if (sensor.kind !== "audio") this.#items.push({ ...base, kind: "scalar" });
    else {
      const { convention } = sensor;
      this.#items.push({ ...base, kind: "audio", convention, availableUs: timeUs });
    }
  }

  read(target: number): void {
    this.#readings.push({ after: this.#items.length, target });
  }

  endRecording(): void {
    this.endSequence(Number.NaN);
  }

  #packetEvent(): SensorEvent {
    const sensor = this.#sensor;
    const { width, height } = sensor.kind === "dvs" ? sensor : { width: 1, height: 1 };
    const packet = createDvsPacket(width, height, this.#pixels.length);
    this.#pixels.forEach(({ timeUs, address, on }, i) => {
      packet.timeUs[i] = timeUs;
      packet.x[i] = address % width;
      packet.y[i] = Math.floor(address / width);
      packet.on[i] = on;
    });
    const timeUs = this.#pixels[0]!.timeUs;
    return { kind: "dvs", stream, sensor: sensor.name, timeUs, seq: 0, packet };
  }
}
