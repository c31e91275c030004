import type { GraphBatch } from "./graph-batch.ts";
import { carriedRow, type RowSource, silentRow } from "./held-rows.ts";
import type { TrainedDensity } from "./trained-density.ts";
import type { TrainedHead } from "./trained-head.ts";
import type { LayerInput, TrainedLayer } from "./trained-layer.ts";

/** Parts of a graph, in order of evaluation. */
export interface TrainedParts {
  readonly batch: GraphBatch;
  readonly layers: readonly TrainedLayer[];
  readonly heads: readonly TrainedHead[];
  readonly densities: readonly TrainedDensity[];
}

/** Where planning stands: what every source last put out, and how far every reader is. */
interface Cursor {
  /** Row that each source holds. */
  readonly held: Map<RowSource, number>;
  readonly rows: Map<TrainedLayer | TrainedHead, number>;
  /** Events that each density predicts so far. */
  readonly predicted: number[];
  /** Whether the sequence has had a tick: before its first nothing is predicted. */
  hasTick: boolean;
  /** Events of each sensor so far. */
  readonly sensorRows: number[];
  /** Answers planned. */
  reading: number;
  /** Bits of the sensors that have spoken in the tick under way. */
  news: number;
}

/** Layers by when they are evaluated. */
interface Order {
  /** By sensor. */
  readonly branches: readonly (readonly TrainedLayer[])[];
  readonly merges: readonly TrainedLayer[];
}

/**
 * Decides which rows every layer and head has, and what each of them reads: the order of evaluation
 * of inference (spec D1, D3, D4, D16). A layer above one sensor has a row for each of its events; a
 * merge layer one for each tick with news below it, after all events of the tick.
 *
 * @returns events that each density predicts
 */
export function planRows(parts: TrainedParts): readonly number[] {
  const { batch, layers, heads } = parts;
  const cursor: Cursor = {
    held: new Map(),
    rows: new Map([...layers, ...heads].map((reader) => [reader, 0])),
    predicted: parts.densities.map(() => 0),
    hasTick: false,
    sensorRows: batch.sensors.map(() => 0),
    reading: 0,
    news: 0,
  };
  const order: Order = {
    branches: batch.sensors.map((_, s) => layers.filter(({ sensors }) => sensors === 1 << s)),
    merges: layers.filter(({ sensors }) => (sensors & (sensors - 1)) !== 0),
  };
  for (let b = 0; b < batch.sequences; b++) {
    for (const source of [...batch.sensors, ...layers]) cursor.held.set(source, carriedRow);
    for (const layer of layers) layer.op.batch.offsets[b] = cursor.rows.get(layer)!;
    planSequence(parts, order, cursor, b);
    for (const layer of layers) layer.op.batch.offsets[b + 1] = cursor.rows.get(layer)!;
  }
  return cursor.predicted;
}

function planSequence(
  { batch, heads, densities }: TrainedParts,
  { branches, merges }: Order,
  cursor: Cursor,
  b: number,
): void {
  const firstTicks = heads.map((head) => cursor.rows.get(head)!);
  const end = batch.offsets[b + 1]!;
  cursor.hasTick = false;
  for (let n = batch.offsets[b]!; n < end; n++) {
    const sensor = batch.sensor[n]!;
    const timeUs = batch.timeUs[n]!;
    if (cursor.hasTick) planPrediction(densities, cursor, sensor, b);
    cursor.held.set(batch.sensors[sensor]!, cursor.sensorRows[sensor]!++);
    cursor.news |= 1 << sensor;
    for (const layer of branches[sensor]!) addRow(layer, cursor, timeUs);
    if (n + 1 < end && batch.timeUs[n + 1] === timeUs) continue;
    finishTick(merges, heads, cursor, timeUs);
    while (isDue(batch, cursor.reading, b, n + 1)) planReading(heads, cursor, firstTicks);
  }
  // What was asked of a sequence without events.
  while (isDue(batch, cursor.reading, b, end)) planReading(heads, cursor, firstTicks);
}

function isDue(batch: GraphBatch, reading: number, b: number, events: number): boolean {
  if (reading === batch.readings || batch.readSequence[reading] !== b) return false;
  return batch.readAt[reading]! <= events;
}

function finishTick(
  merges: readonly TrainedLayer[],
  heads: readonly TrainedHead[],
  cursor: Cursor,
  timeUs: number,
): void {
  for (const layer of merges) {
    if ((layer.sensors & cursor.news) !== 0) addRow(layer, cursor, timeUs);
  }
  for (const head of heads) {
    if ((head.sensors & cursor.news) === 0) continue;
    const tick = cursor.rows.get(head)!;
    hold(head.sources, tick, cursor, false);
    cursor.rows.set(head, tick + 1);
  }
  cursor.news = 0;
  cursor.hasTick = true;
}

/** Before an event takes effect: what is held is what it is predicted from. */
function planPrediction(
  densities: readonly TrainedDensity[],
  cursor: Cursor,
  sensor: number,
  b: number,
): void {
  densities.forEach((density, i) => {
    if (density.sensor !== sensor) return;
    const n = cursor.predicted[i]!++;
    hold(density.sources, n, cursor, false);
    density.targetRows[n] = cursor.sensorRows[sensor]!;
    density.sequence[n] = b;
  });
}

function addRow(layer: TrainedLayer, cursor: Cursor, timeUs: number): void {
  const row = cursor.rows.get(layer)!;
  layer.op.batch.timeUs[row] = timeUs;
  hold(layer.sources, row, cursor, layer.spec.onSilence === "zero");
  cursor.held.set(layer, row);
  cursor.rows.set(layer, row + 1);
}

function hold(
  sources: readonly LayerInput[],
  row: number,
  { held, news }: Cursor,
  silences: boolean,
): void {
  for (const { source, sensors, heldRows } of sources) {
    heldRows[row] = silences && (sensors & news) === 0 ? silentRow : held.get(source)!;
  }
}

function planReading(
  heads: readonly TrainedHead[],
  cursor: Cursor,
  firstTicks: readonly number[],
): void {
  const reading = cursor.reading++;
  heads.forEach((head, i) => {
    const to = cursor.rows.get(head)!;
    head.readTo[reading] = to;
    head.readFrom[reading] = Math.max(firstTicks[i]!, to - head.plan.readTicks);
  });
}
