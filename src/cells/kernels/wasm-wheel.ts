import { roundUp } from "./packed-layer.ts";
import type { WasmMemory } from "./wasm-memory.ts";

/**
 * How open units are found: by looking at all, by a timing wheel, or by whichever the mean time
 * between events makes cheaper. The open set is the same.
 */
export type Scheduling = "auto" | "scan" | "wheel";

/** Below so many units a wheel saves too little to keep its state. */
const AUTO_UNITS_MIN = 1024;
const RECORD_BYTES = 128;
const RECORD_OF_UNIT_BYTES = 32;

/** Fields of the record of assembly/wheel.ts, by 4-byte word. */
const word = {
  buckets: 0,
  farMask: 1,
  /** float64, like the four after it. */
  widthUs: 2,
  startUs: 4,
  timeUs: 6,
  sampleUs: 8,
  wakesPerUs: 10,
  mode: 16,
  active: 17,
  order: 21,
  records: 22,
  candidates: 23,
  closed: 24,
  units: 25,
  openness: 26,
  words: 27,
} as const;

/** Fields of the record of assembly/unit-buckets.ts, by 4-byte word. */
const bucketsWord = { ends: 0, chunks: 1 } as const;
const BUCKETS_RECORD_BYTES = 16;

/** Near buckets, and ticks of a far one. */
const NEAR = 64;
/** Few units are near, and are to stay in the first-level cache. The same in assembly/unit-buckets.ts. */
const CHUNK_BYTES = 128;
/** Lists are copied 8 units at a time, judged 4 at a time and ordered 8 at a time. */
const LIST_SLACK = 20;
/** What a bucket can hold of a record's number: `ID_BITS` of assembly/wheel.ts. */
const UNITS_MAX = 2 ** 26 - 1;

/** @returns address of a wheel that is still to be built; 0 if the layer shall always scan */
export function writeWheel(
  memory: WasmMemory,
  frequency: Float64Array,
  scheduling: Scheduling,
): number {
  const units = frequency.length;
  if (scheduling === "scan" || (scheduling === "auto" && units < AUTO_UNITS_MIN)) return 0;
  if (units > UNITS_MAX) return 0;
  const address = memory.reserve(RECORD_BYTES);
  const fields = memory.int32(RECORD_BYTES / 4, address);
  const times = memory.float64(RECORD_BYTES / 8, address);
  // A unit whose opening is further away than all buckets reach is looked at once per turn of the
  // wheel: with four times as many ticks as units, that is seldom.
  const far = Math.max(4, 2 ** Math.ceil(Math.log2((4 * units) / NEAR)));
  // The width is set from the first events; until then one that makes any be rebuilt.
  times[word.widthUs / 2] = 1;
  times[word.startUs / 2] = Number.NaN;
  times[word.timeUs / 2] = Number.NEGATIVE_INFINITY;
  times[word.sampleUs / 2] = Number.NaN;
  times[word.wakesPerUs / 2] = frequency.reduce((sum, perUs) => sum + perUs, 0);
  fields[word.farMask] = far - 1;
  fields[word.mode] = scheduling === "wheel" ? 2 : 1;
  fields[word.active] = scheduling === "wheel" ? 1 : 0;
  fields[word.buckets] = writeBuckets(memory, NEAR + far, units);
  const ids = memory.int32(units);
  ids.set(Int32Array.from(frequency.keys()).sort((a, b) => frequency[b]! - frequency[a]! || a - b));
  fields[word.order] = ids.byteOffset;
  fields[word.records] = memory.reserve(RECORD_OF_UNIT_BYTES * (units + 1));
  for (const list of ["candidates", "closed", "units", "openness"] as const) {
    fields[word[list]] = memory.reserve(4 * (units + LIST_SLACK));
  }
  fields[word.words] = memory.reserve(8 * Math.ceil(units / 64));
  return address;
}

function writeBuckets(memory: WasmMemory, buckets: number, units: number): number {
  const address = memory.reserve(BUCKETS_RECORD_BYTES);
  const fields = memory.int32(BUCKETS_RECORD_BYTES / 4, address);
  // Only the last chunk of a bucket is not full. One more than that, to begin at a multiple.
  const chunks = Math.ceil(units / (CHUNK_BYTES / 4 - 1)) + buckets + 1;
  fields[bucketsWord.ends] = memory.reserve(4 * buckets);
  fields[bucketsWord.chunks] = roundUp(memory.reserve(CHUNK_BYTES * (chunks + 1)), CHUNK_BYTES);
  return address;
}

export function isWheelInUse(memory: WasmMemory, address: number): boolean {
  return address !== 0 && memory.int32(RECORD_BYTES / 4, address)[word.active] === 1;
}
