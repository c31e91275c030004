import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import { createDvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";

/** A labelled sequence as sensor events, as a recording would hold it. */
export interface LabelledSequence {
  readonly items: readonly SensorEvent[];
  /** Class or value. */
  readonly target: number;
}

const stream = "evaluation";

/** Collects sequences as events of a graph's first sensor. */
export class CapturedSequences implements SequenceWriter {
  #sequences: LabelledSequence[] = [];
  readonly #sensor: GraphSpec["sensors"][number];
  #items: SensorEvent[] = [];
  #pixels: { readonly timeUs: TimeUs; readonly address: number; readonly on: number }[] = [];

  constructor(spec: GraphSpec) {
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
    this.#sequences.push({ items: this.#items, target });
    this.#items = [];
    this.#pixels = [];
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
