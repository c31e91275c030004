import type { Prediction } from "../../fusion/prediction.ts";
import { indexOfLargest } from "../../fusion/read-predictions.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { EventRange, MergedItem } from "../../streams/merge/merged-item.ts";

const sensorWidth = 7;

/** One line of a timeline: what happened in a stretch of event time. */
interface Row {
  readonly startUs: TimeUs;
  readonly events: Map<string, number>;
  truth: string;
}

/**
 * A running replay as text: per stretch of event time the events of each sensor, the truth where the
 * recording has it, and what the graph says at the end of the stretch.
 */
export class Timeline {
  readonly #print: (line: string) => void;
  readonly #stretchUs: number;
  readonly #sensors: readonly string[];
  #stream: string | undefined;
  #row: Row | undefined;
  #truth = "";
  #prediction: Prediction | undefined;

  /**
   * @param sensors columns, in order
   * @param stretchUs length of a line in event time
   */
  constructor(sensors: readonly string[], stretchUs: number, print: (line: string) => void) {
    this.#sensors = sensors;
    this.#stretchUs = stretchUs;
    this.#print = print;
  }

  item(item: MergedItem): void {
    if (item.stream !== this.#stream) this.#begin(item.stream);
    if (item.kind === "marker") {
      this.#advance(item.timeUs);
      if (item.marker.action === "segment-start") this.#truth = item.marker.label;
      else if (item.marker.action === "segment-end") this.#truth = "";
      return;
    }
    if (item.kind === "tick") for (const range of item.ranges) this.#count(range);
    else if (item.kind === "run") this.#count(item.range);
  }

  predictions(predictions: readonly Prediction[]): void {
    this.#prediction = predictions.at(-1) ?? this.#prediction;
  }

  /** Prints what has not been printed. */
  end(): void {
    this.#flush();
    this.#stream = undefined;
  }

  #begin(stream: string): void {
    this.#flush();
    this.#stream = stream;
    this.#truth = "";
    this.#prediction = undefined;
    const columns = this.#sensors.map((sensor) => sensor.padStart(sensorWidth)).join("");
    this.#print(`\n${stream}\n      time${columns}  truth     predicted`);
  }

  #count({ event, from, to }: EventRange): void {
    for (let i = from; i < to; i++) {
      const timeUs = event.kind === "dvs" ? event.packet.timeUs[i]! : event.timeUs;
      const { events } = this.#advance(timeUs);
      events.set(event.sensor, (events.get(event.sensor) ?? 0) + 1);
    }
  }

  /** The row that `timeUs` falls into; prints the one before it. */
  #advance(timeUs: TimeUs): Row {
    if (this.#row !== undefined && timeUs < this.#row.startUs + this.#stretchUs) {
      if (this.#row.truth === "") this.#row.truth = this.#truth;
      return this.#row;
    }
    this.#flush();
    const startUs = Math.floor(timeUs / this.#stretchUs) * this.#stretchUs;
    this.#row = { startUs, events: new Map(), truth: this.#truth };
    return this.#row;
  }

  #flush(): void {
    if (this.#row === undefined) return;
    const { startUs, events } = this.#row;
    const truth = this.#row.truth || this.#truth;
    const counts = this.#sensors
      .map((sensor) => String(events.get(sensor) ?? "·").padStart(sensorWidth))
      .join("");
    const end = ((startUs + this.#stretchUs) / 1e6).toFixed(2).padStart(8);
    this.#print(
      `${end} s${counts}  ${truth.padEnd(8)}  ${predictionText(this.#prediction)}`.trimEnd(),
    );
    this.#row = undefined;
  }
}

function predictionText(prediction: Prediction | undefined): string {
  if (prediction?.label === undefined) return "";
  const probability = prediction.values[indexOfLargest(prediction.values)]!;
  const bar = "█".repeat(Math.round(probability * 20));
  return `${prediction.label.padEnd(7)} ${probability.toFixed(2)} ${bar}`;
}
