import {
  rowLength,
  type SequenceBatch,
  type SequenceLimits,
  type SequenceShape,
  type SequenceTensors,
  skipsClosed,
} from "./sequence-op.ts";
import { WasmArena } from "./wasm-arena.ts";

/** Memory of one SIMD sequence op: views on what TypeScript writes or reads. */
export interface SequenceMemory {
  readonly arena: WasmArena;
  /** Address of the table of pointers that the module's functions take. */
  readonly layout: number;
  readonly parameters: SequenceTensors;
  readonly gradients: SequenceTensors;
  readonly batch: SequenceBatch;
  /** 1 / τ of each unit, 1/µs. */
  readonly frequency: Float64Array;
  /** τ of each unit, µs. */
  readonly period: Float64Array;
  readonly openRatio: Float64Array;
  /** 2 / r_on of each unit: slope of k while it opens. */
  readonly openSlope: Float64Array;
  /** Derivative of the loss by r_on of each unit, by `backwardGates`. */
  readonly openRatioGradient: Float64Array;
}

const layoutFields = 48;
/**
 * Room for embedding, read-out, moments and averages; as much as is used of it is taken from the
 * system. What does not fit lies elsewhere and is computed without SIMD.
 */
const roomBytes = 2 ** 26;
/** Entries that the scan may write before it sees the limit. */
const spareEntries = 2;

/** Reserves all arrays of a sequence op and writes down where they are. */
export function createSequenceMemory(shape: SequenceShape, limits: SequenceLimits): SequenceMemory {
  const { units, inputs } = shape;
  const { sequencesMax, eventsMax } = limits;
  const length = rowLength(shape);
  const chunkEvents = chunkEventsOf(shape, limits);
  const lanes = lanesOf(sequencesMax);
  const arena = new WasmArena(arenaBytes(shape, limits));
  const layout = arena.uint32(layoutFields);
  // Fields in the order of assembly/train/layout.ts.
  layout.set([inputs, units, length, limits.openUnitsMax, chunkEvents]);
  let field = 5;
  const at = <T extends { readonly byteOffset: number }>(array: T): T => {
    layout[field++] = array.byteOffset;
    return array;
  };
  const rows = at(arena.float32(units * 4 * length));
  const peepholes = at(arena.float32(3 * units));
  const rowsGradient = at(arena.float32(units * 4 * length));
  const peepholesGradient = at(arena.float32(3 * units));
  const frequency = at(arena.float64(units));
  const shift = at(arena.float64(units));
  const openRatio = at(arena.float64(units));
  const batch: SequenceBatch = {
    offsets: at(arena.int32(sequencesMax + 1)),
    timeUs: at(arena.float64(eventsMax)),
    x: at(arena.float32(eventsMax * inputs)),
    readFrom: at(arena.int32(sequencesMax)),
    h: at(arena.float32(eventsMax * units)),
    hGradient: at(arena.float32(eventsMax * units)),
    xGradient: at(arena.float32(eventsMax * inputs)),
    stateH: at(arena.float32(sequencesMax * units)),
    stateC: at(arena.float32(sequencesMax * units)),
  };
  // Entries: first of each round; unit and v, φ, t / τ, k, derivative by k, gates and cells of each.
  at(arena.int32(eventsMax + 1));
  const { listed, kept, cellFloats } = entriesOf(shape, limits);
  at(arena.int32(2 * listed));
  for (const floats of [listed, listed, kept, listed, 4 * kept, cellFloats * kept]) {
    at(arena.float32(floats));
  }
  // v and c of each sequence, and the derivatives by them.
  for (let i = 0; i < 4; i++) at(arena.float32(lanes * length));
  const logPeriodGradient = at(arena.float64(units));
  const shiftGradient = at(arena.float64(units));
  const openRatioGradient = at(arena.float64(units));
  // Of the scan: time and v of the sequences of a round, by twos, and when each unit opens next.
  at(arena.float64(lanes + 1));
  at(arena.int32(lanes + 1));
  at(arena.float64(units));
  // The v of a chunk, and its entries by unit.
  at(arena.float32(chunkEvents * length));
  at(arena.int32(units + 2));
  at(arena.int32((skipsClosed(shape) ? 2 : 4) * chunkEvents * units));
  const period = at(arena.float64(units));
  const openSlope = at(arena.float64(units));
  // Rounds: first event of each; event and sequence of each; their number.
  at(arena.int32(eventsMax + 1));
  at(arena.int32(2 * eventsMax));
  at(arena.int32(1));
  // The rows in another order, for who needs all of them at every event.
  at(arena.float32(skipsClosed(shape) ? 0 : units * 4 * length));
  const perUnit = (): Float64Array => new Float64Array(units);
  return {
    arena,
    layout: layout.byteOffset,
    parameters: { rows, peepholes, logPeriod: perUnit(), shift, openLogit: perUnit() },
    gradients: {
      rows: rowsGradient,
      peepholes: peepholesGradient,
      logPeriod: logPeriodGradient,
      shift: shiftGradient,
      openLogit: perUnit(),
    },
    batch,
    frequency,
    period,
    openRatio,
    openSlope,
    openRatioGradient,
  };
}

/** Sequences lie side by side by fours. */
function lanesOf(sequencesMax: number): number {
  return Math.ceil(sequencesMax / 4) * 4;
}

/**
 * Entries that are listed, those whose k, gates and cells are kept, and numbers of a cell. Where all
 * units are evaluated nothing is listed, there is room for one unit of each sequence; but fours of
 * sequences are kept where only one of them goes on.
 */
function entriesOf(
  shape: SequenceShape,
  { openUnitsMax, sequencesMax }: SequenceLimits,
): { readonly listed: number; readonly kept: number; readonly cellFloats: number } {
  if (!skipsClosed(shape)) {
    return { listed: lanesOf(sequencesMax), kept: 4 * openUnitsMax, cellFloats: 3 };
  }
  const entries = openUnitsMax + spareEntries;
  return { listed: entries, kept: entries, cellFloats: 4 };
}

/**
 * Events whose v is kept before their entries are added to the gradient of the rows, at least one
 * of each sequence. Where closed units are skipped a unit has few entries at a step: it takes many steps
 * to make one load and store of its rows worth while. Where none is, a few steps do, and what is kept of
 * them stays in the second cache.
 */
function chunkEventsOf(shape: SequenceShape, limits: SequenceLimits): number {
  const floats = skipsClosed(shape) ? 32_768 : 16_384;
  return Math.max(lanesOf(limits.sequencesMax), Math.ceil(floats / rowLength(shape)));
}

/** Generous sum of all arrays, a cache line of padding for each, and room for others. */
function arenaBytes(shape: SequenceShape, limits: SequenceLimits): number {
  const { units, inputs } = shape;
  const length = rowLength(shape);
  const weights = 3 * units * 4 * (length + 4) + 64 * (units + 1);
  const events = limits.eventsMax * (2 * inputs + 2 * units + 7);
  const sequences = lanesOf(limits.sequencesMax) * (2 * units + 4 * length + 12);
  const chunk = chunkEventsOf(shape, limits) * (length + 4 * units);
  const { listed, kept, cellFloats } = entriesOf(shape, limits);
  const entries = 5 * listed + (5 + cellFloats) * kept;
  return 4 * (weights + events + sequences + entries + chunk) + layoutFields * 4 * 32 + roomBytes;
}
