import { Layer } from "./layer";

/**
 * Finds the open units of a large layer without looking at all of them: a timing wheel. A closed
 * unit waits in the bucket of its next opening; an open one is a bit. Every unit that may have
 * changed is judged by the test of the scan, on the same numbers, so the open set is the same.
 *
 * `wasm-layer.ts` writes the fields in this order.
 */
@unmanaged
export class Wheel {
  /** Length of a bucket, µs: about the mean time between events. */
  widthUs: f64;
  /** Epoch the buckets count from; NaN if the wheel is to be built anew. */
  startUs: f64;
  /** Time of the last event that moved the wheel. */
  timeUs: f64;
  /** When the sample under way began; NaN before the first event. */
  sampleUs: f64;
  /** Bucket of `timeUs`, since the epoch. */
  tick: i64;
  /** Number of buckets less 1; a power of two less 1. */
  slotMask: u32;
  /** 1 automatic, 2 always. */
  mode: u32;
  /** 1 while the wheel is in use. */
  active: u32;
  /** Events and open units of the sample. */
  sampled: u32;
  sampledOpen: u32;
  /** i32 [bucket]: first unit + 1; 0 if empty. */
  heads: usize;
  /** u64 words, one bit per bucket that holds units. */
  occupied: usize;
  /** [unit] of 32 bytes: f64 base, f64 1/τ, f64 r_on, f64 2/r_on. */
  records: usize;
  /**
   * i32 [unit]: next unit of its bucket + 1. Apart from the records, so that walking a bucket stays
   * in the cache and the records' misses overlap.
   */
  nexts: usize;
  /** u64 words, one bit per open unit, and one bit per such word that is not zero. */
  openWords: usize;
  openSummary: usize;
  /** Sum of 1/τ: windows that begin per µs. */
  wakesPerUs: f64;
}

/** Events after which the choice between scan and wheel is looked at again. */
const SAMPLE_EVENTS: u32 = 64;
// Measured costs in ns; only their proportions matter. A scan pays per unit; a wheel per open unit
// and per unit whose window began since the last event (wake-up).
const SCAN_UNIT: f64 = 0.28;
const WHEEL_OPEN: f64 = 3.5;
const WHEEL_WAKE: f64 = 13;
/** What the wheel must win by, so that a tie does not flip. */
const MARGIN: f64 = 1.1;

/** Looks at the mean time between events and decides. */
function decide(layer: Layer, wheel: Wheel, timeUs: f64): void {
  const gapUs = (timeUs - wheel.sampleUs) / <f64>SAMPLE_EVENTS;
  const open = <f64>wheel.sampledOpen / <f64>SAMPLE_EVENTS;
  const wakes = min(<f64>layer.units, abs(gapUs) * wheel.wakesPerUs);
  const isFaster =
    SCAN_UNIT * <f64>layer.units > MARGIN * (WHEEL_OPEN * open + WHEEL_WAKE * wakes);
  wheel.active = wheel.mode == 2 || (gapUs > 0 && isFaster) ? 1 : 0;
  const width = max(1.0, abs(gapUs));
  if (wheel.widthUs > 4 * width || wheel.widthUs < width / 4) {
    wheel.widthUs = width;
    wheel.startUs = NaN;
  }
  // Still late after a whole sample: time has gone back for good.
  if (timeUs < wheel.timeUs) wheel.startUs = NaN;
  wheel.sampled = 0;
  wheel.sampledOpen = 0;
  wheel.sampleUs = timeUs;
}

/** Counts an event for the next decision. */
export function sampleEvent(layer: Layer, wheel: Wheel, timeUs: f64, open: u32): void {
  if (wheel.sampleUs != wheel.sampleUs) wheel.sampleUs = timeUs;
  wheel.sampledOpen += open;
  if (++wheel.sampled >= SAMPLE_EVENTS) decide(layer, wheel, timeUs);
}

/** True if the wheel can go on to this event or be built at it; false for a late one. */
@inline
export function canTurn(wheel: Wheel, timeUs: f64): bool {
  const isFinite = timeUs - timeUs == 0;
  const isBuilt = wheel.startUs == wheel.startUs;
  return wheel.active == 1 && isFinite && !(isBuilt && timeUs < wheel.timeUs);
}

@inline
function recordOf(wheel: Wheel, unit: u32): usize {
  return wheel.records + (<usize>unit << 5);
}

@inline
function setOpen(wheel: Wheel, unit: u32): void {
  const word = wheel.openWords + ((<usize>unit >> 6) << 3);
  store<u64>(word, load<u64>(word) | (<u64>1 << <u64>(unit & 63)));
  const summary = wheel.openSummary + ((<usize>unit >> 12) << 3);
  store<u64>(summary, load<u64>(summary) | (<u64>1 << <u64>((unit >> 6) & 63)));
}

/** Puts a closed unit where its next window begins, or a little before. */
@inline
function insert(wheel: Wheel, unit: u32, record: usize, cycles: f64, tick: i64): void {
  const frequency = load<f64>(record, 8);
  // Earlier by more than the phase's rounding (2^-33 cycles) and by one bucket.
  const opening = Math.floor(cycles) + 1 - load<f64>(record) - 1.0 / 4294967296.0;
  let bucket = <i64>Math.floor(min(opening / (frequency * wheel.widthUs), 9e15)) - 1;
  bucket = max(tick, min(bucket, tick + <i64>wheel.slotMask));
  const slot = <u32>bucket & wheel.slotMask;
  const head = wheel.heads + (<usize>slot << 2);
  store<u32>(wheel.nexts + (<usize>unit << 2), load<u32>(head));
  store<u32>(head, unit + 1);
  const word = wheel.occupied + ((<usize>slot >> 6) << 3);
  store<u64>(word, load<u64>(word) | (<u64>1 << <u64>(slot & 63)));
}

/** Opens the unit or lets it wait again. */
@inline
function judge(wheel: Wheel, unit: u32, elapsedUs: f64, tick: i64): void {
  const record = recordOf(wheel, unit);
  const cycles = load<f64>(record) + elapsedUs * load<f64>(record, 8);
  if (cycles - Math.floor(cycles) < load<f64>(record, 16)) setOpen(wheel, unit);
  else insert(wheel, unit, record, cycles, tick);
}

/** Starts at this event: every unit is looked at once. */
function build(layer: Layer, wheel: Wheel, elapsedUs: f64, tick: i64): void {
  const slots = <usize>wheel.slotMask + 1;
  memory.fill(wheel.heads, 0, slots << 2);
  memory.fill(wheel.occupied, 0, slots >> 3);
  memory.fill(wheel.openWords, 0, ((<usize>layer.units + 63) >> 6) << 3);
  memory.fill(wheel.openSummary, 0, ((<usize>layer.units + 4095) >> 12) << 3);
  for (let unit: u32 = 0; unit < layer.units; unit++) {
    const record = recordOf(wheel, unit);
    const at = <usize>unit << 3;
    store<f64>(record, load<f64>(layer.bases + at));
    store<f64>(record, load<f64>(layer.frequency + at), 8);
    store<f64>(record, load<f64>(layer.openRatio + at), 16);
    store<f64>(record, load<f64>(layer.slope + at), 24);
    judge(wheel, unit, elapsedUs, tick);
  }
  wheel.startUs = layer.startUs;
}

/** Lets the units go whose windows have ended. */
function closeEnded(layer: Layer, wheel: Wheel, elapsedUs: f64, tick: i64): void {
  const summaries = (<usize>layer.units + 4095) >> 12;
  for (let s: usize = 0; s < summaries; s++) {
    let words = load<u64>(wheel.openSummary + (s << 3));
    while (words) {
      const w = (s << 6) + <usize>ctz(words);
      words &= words - 1;
      closeEndedOfWord(wheel, w, elapsedUs, tick);
    }
  }
}

@inline
function closeEndedOfWord(wheel: Wheel, w: usize, elapsedUs: f64, tick: i64): void {
  const address = wheel.openWords + (w << 3);
  let left = load<u64>(address);
  let bits = left;
  while (bits) {
    const unit = <u32>(w << 6) + <u32>ctz(bits);
    const record = recordOf(wheel, unit);
    const cycles = load<f64>(record) + elapsedUs * load<f64>(record, 8);
    if (!(cycles - Math.floor(cycles) < load<f64>(record, 16))) {
      left &= ~(bits & (0 - bits));
      insert(wheel, unit, record, cycles, tick);
    }
    bits &= bits - 1;
  }
  store<u64>(address, left);
  if (left == 0) {
    const summary = wheel.openSummary + ((w >> 6) << 3);
    store<u64>(summary, load<u64>(summary) & ~(<u64>1 << <u64>(w & 63)));
  }
}

/** Judges all units whose turn has come, from the last event's bucket to this one's. */
function visitDue(wheel: Wheel, elapsedUs: f64, tick: i64): void {
  let slot = <u32>wheel.tick & wheel.slotMask;
  let remaining = <u32>(tick - wheel.tick) + 1;
  while (remaining > 0) {
    const span = min(64 - (slot & 63), remaining);
    let due = load<u64>(wheel.occupied + ((<usize>slot >> 6) << 3)) >> <u64>(slot & 63);
    if (span < 64) due &= (<u64>1 << <u64>span) - 1;
    while (due) {
      visit(wheel, slot + <u32>ctz(due), elapsedUs, tick);
      due &= due - 1;
    }
    slot = (slot + span) & wheel.slotMask;
    remaining -= span;
  }
}

@inline
function visit(wheel: Wheel, slot: u32, elapsedUs: f64, tick: i64): void {
  const head = wheel.heads + (<usize>slot << 2);
  const word = wheel.occupied + ((<usize>slot >> 6) << 3);
  let next = load<u32>(head);
  // Emptied first: a unit that must wait for a later event of this bucket comes back into it.
  store<u32>(head, 0);
  store<u64>(word, load<u64>(word) & ~(<u64>1 << <u64>(slot & 63)));
  while (next) {
    const unit = next - 1;
    next = load<u32>(wheel.nexts + (<usize>unit << 2));
    judge(wheel, unit, elapsedUs, tick);
  }
}

function listBits(layer: Layer, wheel: Wheel): u32 {
  const summaries = (<usize>layer.units + 4095) >> 12;
  let out = layer.openUnits;
  for (let s: usize = 0; s < summaries; s++) {
    let words = load<u64>(wheel.openSummary + (s << 3));
    while (words) {
      const w = (s << 6) + <usize>ctz(words);
      words &= words - 1;
      let bits = load<u64>(wheel.openWords + (w << 3));
      while (bits) {
        store<u32>(out, <u32>(w << 6) + <u32>ctz(bits));
        out += 4;
        bits &= bits - 1;
      }
    }
  }
  return <u32>((out - layer.openUnits) >> 2);
}

/** Moves the wheel to an event and lists the open units, ascending. */
export function turn(layer: Layer, wheel: Wheel, timeUs: f64): u32 {
  const elapsedUs = timeUs - layer.startUs;
  const tick = <i64>Math.floor(elapsedUs / wheel.widthUs);
  if (wheel.startUs != layer.startUs || tick - wheel.tick >= <i64>wheel.slotMask) {
    build(layer, wheel, elapsedUs, tick);
  } else {
    closeEnded(layer, wheel, elapsedUs, tick);
    visitDue(wheel, elapsedUs, tick);
  }
  wheel.tick = tick;
  wheel.timeUs = timeUs;
  return listBits(layer, wheel);
}

/** k of the units listed, like computeOpenness() of the scan, from the records that were just read. */
export function wheelOpenness(layer: Layer, wheel: Wheel, elapsedUs: f64, count: u32): void {
  for (let i: usize = 0; i < <usize>((count + 3) & ~3) << 2; i += 4) {
    const record = recordOf(wheel, load<u32>(layer.openUnits + i));
    const cycles = load<f64>(record) + elapsedUs * load<f64>(record, 8);
    const rise = (cycles - Math.floor(cycles)) * load<f64>(record, 24);
    store<f32>(layer.openness + i, <f32>min(rise, 2 - rise));
  }
}
