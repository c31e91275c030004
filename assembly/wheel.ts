import { listAscending } from "./ascending";
import { Layer } from "./layer";
import { addUnit, clearBuckets, emptyBucket, UnitBuckets } from "./unit-buckets";

/**
 * Finds the open units of a large layer without looking at all of them: a timing wheel of two
 * levels. A closed unit waits in a far bucket, 64 ticks long, and from the beginning of those 64
 * ticks in a near one, a tick long, of its next opening. Every unit that may have changed is judged
 * by the test of the scan, on the same numbers, so the open set is the same.
 *
 * What a unit costs does not grow with the layer: the tables that are written at random stay small,
 * and the units' own records are read many at a time when their 64 ticks begin, each without waiting
 * for the one before.
 *
 * `wasm-wheel.ts` writes the fields in this order.
 */
@unmanaged
export class Wheel {
  near: UnitBuckets;
  far: UnitBuckets;
  /** Length of a tick, µs: about the mean time between events. */
  widthUs: f64;
  /** Epoch the ticks count from; NaN if the wheel is to be built anew. */
  startUs: f64;
  /** Time of the last event that moved the wheel. */
  timeUs: f64;
  /** When the sample under way began; NaN before the first event. */
  sampleUs: f64;
  /** Sum of 1/τ: windows that begin per µs. */
  wakesPerUs: f64;
  /** Tick of `timeUs`, since the epoch. */
  tick: i64;
  /** One bit per near bucket that holds units. */
  occupied: u64;
  /** Number of far buckets less 1; a power of two less 1. */
  farMask: u32;
  /** 1 automatic, 2 always. */
  mode: u32;
  /** 1 while the wheel is in use. */
  active: u32;
  /** Events and open units of the sample. */
  sampled: u32;
  sampledOpen: u32;
  openCount: u32;
  /** [unit] of 32 bytes: f64 base, f64 1/τ, f64 r_on, f64 2/r_on. */
  records: usize;
  /** u32 [units + 20] each: open units in no order; those to be judged; those found closed. */
  open: usize;
  due: usize;
  closed: usize;
  /** u64 [units / 64], zero. */
  words: usize;
  /** Keeps the compiler from leaving out what is read for the cache alone. */
  touched: u32;
  /** Where the lists of open and of closed units end. */
  openEnd: usize;
  closedEnd: usize;
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

/** Near buckets, and ticks of a far one: the bits of one word. */
const NEAR: usize = 64;

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

/** Starts at this event: every unit is to be looked at once. */
function build(layer: Layer, wheel: Wheel): usize {
  clearBuckets(wheel.near, NEAR);
  clearBuckets(wheel.far, <usize>wheel.farMask + 1);
  wheel.occupied = 0;
  wheel.openCount = 0;
  for (let unit: u32 = 0; unit < layer.units; unit++) {
    const record = recordOf(wheel, unit);
    const at = <usize>unit << 3;
    store<f64>(record, load<f64>(layer.bases + at));
    store<f64>(record, load<f64>(layer.frequency + at), 8);
    store<f64>(record, load<f64>(layer.openRatio + at), 16);
    store<f64>(record, load<f64>(layer.slope + at), 24);
    store<u32>(wheel.due + (<usize>unit << 2), unit);
  }
  wheel.startUs = layer.startUs;
  return wheel.due + (<usize>layer.units << 2);
}

/**
 * Collects the units whose ticks have come.
 *
 * @returns behind the last of them in `due`
 */
function collectDue(wheel: Wheel, tick: i64): usize {
  let end = wheel.due;
  const far = tick >> 6;
  const isSameFar = far == wheel.tick >> 6;
  let ripe = wheel.occupied;
  if (isSameFar) ripe &= (<u64>-1) >> (63 - (<u64>tick & 63));
  wheel.occupied &= ~ripe;
  while (ripe) {
    end = emptyBucket(wheel.near, <usize>ctz(ripe), end);
    ripe &= ripe - 1;
  }
  if (isSameFar) return end;
  const near = end;
  for (let f = (wheel.tick >> 6) + 1; f <= far; f++) {
    end = emptyBucket(wheel.far, <usize>f & <usize>wheel.farMask, end);
  }
  touchRecords(wheel, near, end);
  return end;
}

/**
 * Reads a word of each unit's record and uses it for nothing: a loop so short that the processor
 * has dozens of misses under way at once. When the records are used they are near.
 */
function touchRecords(wheel: Wheel, from: usize, to: usize): void {
  let sum: u32 = 0;
  for (let at = from; at < to; at += 4) sum += load<u32>(recordOf(wheel, load<u32>(at)));
  wheel.touched = sum;
}

/** Appends each unit to the open or to the closed ones. No branch: nobody can guess which. */
function sift(wheel: Wheel, from: usize, to: usize, elapsedUs: f64): void {
  let open = wheel.openEnd;
  let closed = wheel.closedEnd;
  for (let at = from; at < to; at += 4) {
    const unit = load<u32>(at);
    const record = recordOf(wheel, unit);
    const cycles = load<f64>(record) + elapsedUs * load<f64>(record, 8);
    const isOpen = <usize>(cycles - Math.floor(cycles) < load<f64>(record, 16));
    store<u32>(open, unit);
    store<u32>(closed, unit);
    open += isOpen << 2;
    closed += (isOpen ^ 1) << 2;
  }
  wheel.openEnd = open;
  wheel.closedEnd = closed;
}

/** Puts a closed unit where its next window begins. */
@inline
function insert(wheel: Wheel, unit: u32, elapsedUs: f64, tick: i64): void {
  const record = recordOf(wheel, unit);
  const frequency = load<f64>(record, 8);
  const cycles = load<f64>(record) + elapsedUs * frequency;
  // Earlier by more than the roundings of the phase (2^-33 cycles) and of the quotient (2^-20 ticks).
  const opening = Math.floor(cycles) + 1 - load<f64>(record) - 1.0 / 4294967296.0;
  const ticks = opening / (frequency * wheel.widthUs) - 1.0 / 65536.0;
  const bucket = max(tick, <i64>min(ticks, 9e15));
  const now = tick >> 6;
  const far = min(bucket >> 6, now + <i64>wheel.farMask);
  if (far == now) {
    wheel.occupied |= <u64>1 << (<u64>bucket & 63);
    addUnit(wheel.near, <usize>bucket & 63, unit);
  } else {
    addUnit(wheel.far, <usize>far & <usize>wheel.farMask, unit);
  }
}

/** Moves the wheel to an event and lists the open units, ascending. */
export function turn(layer: Layer, wheel: Wheel, timeUs: f64): u32 {
  const elapsedUs = timeUs - layer.startUs;
  const tick = <i64>Math.floor(elapsedUs / wheel.widthUs);
  const isOver = (tick >> 6) - (wheel.tick >> 6) >= <i64>wheel.farMask;
  const dueEnd =
    wheel.startUs != layer.startUs || isOver ? build(layer, wheel) : collectDue(wheel, tick);
  wheel.openEnd = wheel.open;
  wheel.closedEnd = wheel.closed;
  sift(wheel, wheel.open, wheel.open + (<usize>wheel.openCount << 2), elapsedUs);
  sift(wheel, wheel.due, dueEnd, elapsedUs);
  const closedEnd = wheel.closedEnd;
  for (let at = wheel.closed; at < closedEnd; at += 4) {
    insert(wheel, load<u32>(at), elapsedUs, tick);
  }
  const count = <u32>((wheel.openEnd - wheel.open) >> 2);
  wheel.openCount = count;
  wheel.tick = tick;
  wheel.timeUs = timeUs;
  listAscending(wheel.open, count, layer.openUnits, wheel.words, (layer.units + 63) >> 6);
  return count;
}

@inline
function gatherPair(a: usize, b: usize): v128 {
  return v128.load_lane<f64>(b, v128.load64_zero(a), 1);
}

/** k of the units listed, like computeOpenness() of the scan, from the records that were just read. */
export function wheelOpenness(layer: Layer, wheel: Wheel, elapsedUs: f64, count: u32): void {
  const elapsed = f64x2.splat(elapsedUs);
  // The list is whole groups of 4.
  for (let i: usize = 0; i < <usize>count << 2; i += 8) {
    const a = recordOf(wheel, load<u32>(layer.openUnits + i));
    const b = recordOf(wheel, load<u32>(layer.openUnits + i, 4));
    const cycles = f64x2.add(gatherPair(a, b), f64x2.mul(elapsed, gatherPair(a + 8, b + 8)));
    const rise = f64x2.mul(f64x2.sub(cycles, f64x2.floor(cycles)), gatherPair(a + 24, b + 24));
    const openness = f64x2.pmin(rise, f64x2.sub(f64x2.splat(2), rise));
    v128.store64_lane(layer.openness + i, f32x4.demote_f64x2_zero(openness), 0);
  }
}
