import type { WasmMemory } from "./wasm-memory.ts";

/**
 * How open units are found: by looking at all, by a timing wheel, or by whichever the mean time
 * between events makes cheaper. The open set is the same.
 */
export type Scheduling = "auto" | "scan" | "wheel";

/** Below so many units a wheel saves too little to keep its state. */
const AUTO_UNITS_MIN = 1024;
const RECORD_BYTES = 128;
const UNIT_RECORD_BYTES = 32;

/** Fields of the record of assembly/wheel.ts, by 4-byte word. */
const word = {
  /** float64, like the three after it. */
  widthUs: 0,
  startUs: 2,
  timeUs: 4,
  sampleUs: 6,
  slotMask: 10,
  mode: 11,
  active: 12,
  heads: 15,
  occupied: 16,
  records: 17,
  nexts: 18,
  openWords: 19,
  openSummary: 20,
  /** float64 */
  wakesPerUs: 22,
} as const;

/** @returns address of a wheel that is still to be built; 0 if the layer shall always scan */
export function writeWheel(
  memory: WasmMemory,
  frequency: Float64Array,
  scheduling: Scheduling,
): number {
  const units = frequency.length;
  if (scheduling === "scan" || (scheduling === "auto" && units < AUTO_UNITS_MIN)) return 0;
  const address = memory.reserve(RECORD_BYTES);
  const fields = memory.int32(RECORD_BYTES / 4, address);
  const times = memory.float64(RECORD_BYTES / 8, address);
  // A unit whose opening is further away than all buckets reach is looked at once per turn of the
  // wheel: with as many buckets as units, that is at most one more per event.
  const slots = Math.max(64, 2 ** Math.ceil(Math.log2(units)));
  // The width is set from the first events; until then one that makes any be rebuilt.
  times[word.widthUs / 2] = 1;
  times[word.startUs / 2] = Number.NaN;
  times[word.timeUs / 2] = Number.NEGATIVE_INFINITY;
  times[word.sampleUs / 2] = Number.NaN;
  times[word.wakesPerUs / 2] = frequency.reduce((sum, perUs) => sum + perUs, 0);
  fields[word.slotMask] = slots - 1;
  fields[word.mode] = scheduling === "wheel" ? 2 : 1;
  fields[word.active] = scheduling === "wheel" ? 1 : 0;
  fields[word.heads] = memory.reserve(4 * slots);
  fields[word.occupied] = memory.reserve(slots / 8);
  fields[word.records] = memory.reserve(UNIT_RECORD_BYTES * units);
  fields[word.nexts] = memory.reserve(4 * units);
  fields[word.openWords] = memory.reserve(8 * Math.ceil(units / 64));
  fields[word.openSummary] = memory.reserve(8 * Math.ceil(units / 4096));
  return address;
}

export function isWheelInUse(memory: WasmMemory, address: number): boolean {
  return address !== 0 && memory.int32(RECORD_BYTES / 4, address)[word.active] === 1;
}
