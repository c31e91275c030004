import { listAscending } from "./ascending";
import { Layer } from "./layer";
import { addToBucket, clearBuckets, emptyBucket, UnitBuckets } from "./unit-buckets";

/**
 * Finds the open units of a large layer without looking at all of them: a timing wheel of two
 * levels. A closed unit waits in a far bucket, 64 ticks long, for its next opening, and goes from
 * there, when those 64 ticks begin, to the near bucket of its tick, which it had noted down. Every
 * unit that may have changed is judged by the test of the scan, on the same numbers, so the open set
 * is the same.
 *
 * What a unit costs does not grow with the layer: the tables that are written at random stay small,
 * a unit is judged once per window, and the units' own records are read many at a time when their 64
 * ticks begin, each without waiting for the one before.
 *
 * `wasm-wheel.ts` writes the fields in this order.
 */
@unmanaged
export class Wheel {
  /** 64 near ones, then the far ones. Each unit is in one of them or open. */
  buckets: UnitBuckets;
  /** Number of far buckets less 1; a power of two less 1. */
  farMask: u32;
  /** Length of a tick, µs: about half the mean time between events. */
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
  /** 1 automatic, 2 always. */
  mode: u32;
  /** 1 while the wheel is in use. */
  active: u32;
  /** Events and open units of the sample. */
  sampled: u32;
  sampledOpen: u32;
  openCount: u32;
  /** u32 [units]: the unit of each record. */
  order: usize;
  /**
   * [units] of 32 bytes: f64 base, f64 1/τ, f64 r_on, u32 unit; behind them one that never opens. From
   * the shortest period to the longest: what comes up most often lies together.
   */
  records: usize;
  /**
   * u32 [units + 20] each: numbers of records. The open ones in no order, then those to be judged;
   * those found closed.
   */
  candidates: usize;
  closed: usize;
  /** The open units in no order, and their k (f32). */
  units: usize;
  openness: usize;
  /** u64 [units / 64], zero. */
  words: usize;
  /** Keeps the compiler from leaving out what is read for the cache alone. */
  touched: u32;
}

/** Events after which the choice between scan and wheel is looked at again. */
const SAMPLE_EVENTS: u32 = 64;
// Costs in ns, fitted to both ways in 54 cases (docs/results/kernels.md); only their proportions
// matter. A scan pays per unit; what an open unit costs a wheel more than a scan, a window that began
// since the last event (wake-up), and an event.
const SCAN_UNIT: f64 = 0.39;
const WHEEL_OPEN: f64 = 3.8;
const WHEEL_WAKE: f64 = 18;
const WHEEL_EVENT: f64 = 115;
/**
 * Length of a tick in gaps between events. A longer one wakes units that open after the event; with
 * shorter ones more buckets are emptied per event.
 */
const TICK_GAPS: f64 = 0.5;
/** What the wheel must win by, so that a tie does not flip. */
const MARGIN: f64 = 1.1;

/** Near buckets, and ticks of a far one: the bits of one word. */
const NEAR: usize = 64;
/** A number in a bucket is that of a record and above it the near bucket that it is to wait in. */
const ID_BITS: u32 = 26;
const ID_MASK: u32 = (1 << ID_BITS) - 1;

/** Looks at the mean time between events and decides. */
function decide(layer: Layer, wheel: Wheel, timeUs: f64): void {
  const gapUs = (timeUs - wheel.sampleUs) / <f64>SAMPLE_EVENTS;
  const open = <f64>wheel.sampledOpen / <f64>SAMPLE_EVENTS;
  const wakes = min(<f64>layer.units, abs(gapUs) * wheel.wakesPerUs);
  const wheelCost = WHEEL_OPEN * open + WHEEL_WAKE * wakes + WHEEL_EVENT;
  const isFaster = SCAN_UNIT * <f64>layer.units > MARGIN * wheelCost;
  wheel.active = wheel.mode == 2 || (gapUs > 0 && isFaster) ? 1 : 0;
  const width = max(1.0, TICK_GAPS * abs(gapUs));
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
function recordOf(wheel: Wheel, id: u32): usize {
  return wheel.records + (<usize>id << 5);
}

/** Starts at this event: every unit is to be judged once. */
function build(layer: Layer, wheel: Wheel): usize {
  clearBuckets(wheel.buckets, NEAR + <usize>wheel.farMask + 1);
  wheel.occupied = 0;
  let end = wheel.candidates;
  for (let id: u32 = 0; id < layer.units; id++) {
    const record = recordOf(wheel, id);
    const unit = load<u32>(wheel.order + (<usize>id << 2));
    const at = <usize>unit << 3;
    store<f64>(record, load<f64>(layer.bases + at));
    store<f64>(record, load<f64>(layer.frequency + at), 8);
    store<f64>(record, load<f64>(layer.openRatio + at), 16);
    store<u32>(record, unit, 24);
    store<u32>(end, id);
    end += 4;
  }
  store<f64>(recordOf(wheel, layer.units), -1, 16);
  wheel.startUs = layer.startUs;
  return end;
}

/**
 * Appends the units whose ticks have come to the open ones.
 *
 * @returns behind the last of them
 */
function collectDue(wheel: Wheel, tick: i64): usize {
  let end = wheel.candidates + (<usize>wheel.openCount << 2);
  const far = tick >> 6;
  const isSameFar = far == wheel.tick >> 6;
  let ripe = wheel.occupied;
  if (isSameFar) ripe &= (<u64>-1) >> (63 - (<u64>tick & 63));
  wheel.occupied &= ~ripe;
  while (ripe) {
    end = emptyBucket(wheel.buckets, <usize>ctz(ripe), end);
    ripe &= ripe - 1;
  }
  if (isSameFar) return end;
  for (let f = (wheel.tick >> 6) + 1; f < far; f++) {
    end = emptyBucket(wheel.buckets, farBucket(wheel, <u32>f), end);
  }
  return enterFar(wheel, tick, end);
}

@inline
function farBucket(wheel: Wheel, far: u32): usize {
  return NEAR + <usize>(far & wheel.farMask);
}

/**
 * Hands the units of the far bucket that begins on to near ones, or appends them if their ticks have
 * come.
 */
function enterFar(wheel: Wheel, tick: i64, target: usize): usize {
  const buckets = wheel.buckets;
  const waiting = wheel.closed;
  const end = emptyBucket(buckets, farBucket(wheel, <u32>(tick >> 6)), waiting);
  touchRecords(wheel, waiting, end);
  const last = <u32>tick & 63;
  let occupied: u64 = 0;
  for (let at = waiting; at < end; at += 4) {
    const entry = load<u32>(at);
    const near = entry >> ID_BITS;
    if (near <= last) {
      store<u32>(target, entry);
      target += 4;
    } else {
      addToBucket(buckets, <usize>near, entry);
      occupied |= <u64>1 << <u64>near;
    }
  }
  wheel.occupied |= occupied;
  return target;
}

/**
 * Reads a word of each unit's record and uses it for nothing: a loop so short that the processor
 * has dozens of misses under way at once. When the records are used they are near.
 */
function touchRecords(wheel: Wheel, from: usize, to: usize): void {
  const records = wheel.records;
  let sum: u32 = 0;
  for (let at = from; at < to; at += 4) {
    sum += load<u32>(records + (<usize>(load<u32>(at) & ID_MASK) << 5));
  }
  wheel.touched = sum;
}

@inline
function pairOf(a: usize, b: usize): v128 {
  return v128.load_lane<f64>(b, v128.load64_zero(a), 1);
}

/** Phases of two units. */
@inline
function phaseOfPair(elapsed: v128, a: usize, b: usize): v128 {
  const first = v128.load(a);
  const second = v128.load(b);
  const base = v128.shuffle<i64>(first, second, 0, 2);
  const frequency = v128.shuffle<i64>(first, second, 1, 3);
  const cycles = f64x2.add(base, f64x2.mul(elapsed, frequency));
  return f64x2.sub(cycles, f64x2.floor(cycles));
}

/** Two 64-bit masks: which of two units are open. */
@inline
function openPair(elapsed: v128, a: usize, b: usize): v128 {
  return f64x2.lt(phaseOfPair(elapsed, a, b), pairOf(a + 16, b + 16));
}

/**
 * Leaves the open ones of the candidates at their beginning and lists the closed ones. No branch:
 * nobody can guess which is which.
 *
 * @returns behind the last that is open
 */
function sift(wheel: Wheel, end: usize, never: u32, elapsedUs: f64): usize {
  const elapsed = f64x2.splat(elapsedUs);
  store<u32>(end, never);
  store<u32>(end, never, 4);
  store<u32>(end, never, 8);
  let open = wheel.candidates;
  let closed = wheel.closed;
  for (let at = open; at < end; at += 16) {
    const a = load<u32>(at) & ID_MASK;
    const b = load<u32>(at, 4) & ID_MASK;
    const c = load<u32>(at, 8) & ID_MASK;
    const d = load<u32>(at, 12) & ID_MASK;
    const low = openPair(elapsed, recordOf(wheel, a), recordOf(wheel, b));
    const high = openPair(elapsed, recordOf(wheel, c), recordOf(wheel, d));
    const bits = <usize>i32x4.bitmask(v128.shuffle<i32>(low, high, 0, 2, 4, 6)) << 2;
    store<u32>(open, a);
    store<u32>(closed, a);
    open += bits & 4;
    closed += (bits & 4) ^ 4;
    store<u32>(open, b);
    store<u32>(closed, b);
    open += (bits >> 1) & 4;
    closed += ((bits >> 1) & 4) ^ 4;
    store<u32>(open, c);
    store<u32>(closed, c);
    open += (bits >> 2) & 4;
    closed += ((bits >> 2) & 4) ^ 4;
    store<u32>(open, d);
    store<u32>(closed, d);
    open += (bits >> 3) & 4;
    closed += ((bits >> 3) & 4) ^ 4;
  }
  return open;
}

/** Ticks from this one to the next openings of two closed units, cut; 2^31 − 1 if there are more. */
@inline
function ticksAhead(elapsed: v128, width: v128, tick: v128, a: usize, b: usize): v128 {
  const first = v128.load(a);
  const second = v128.load(b);
  const base = v128.shuffle<i64>(first, second, 0, 2);
  const frequency = v128.shuffle<i64>(first, second, 1, 3);
  const cycles = f64x2.add(base, f64x2.mul(elapsed, frequency));
  const next = f64x2.sub(f64x2.add(f64x2.floor(cycles), f64x2.splat(1)), base);
  // Earlier by more than the roundings of the phase (2^-33 cycles) and of the quotient (2^-20 ticks).
  const opening = f64x2.sub(next, f64x2.splat(1.0 / 4294967296.0));
  const ticks = f64x2.div(opening, f64x2.mul(frequency, width));
  const ahead = f64x2.sub(f64x2.sub(ticks, f64x2.splat(1.0 / 65536.0)), tick);
  return i32x4.trunc_sat_f64x2_s_zero(ahead);
}

/**
 * Writes to `targets` in which buckets the closed units are to wait, and in place of the units what
 * they leave there.
 */
function chooseBuckets(
  wheel: Wheel, targets: usize, end: usize, never: u32, elapsedUs: f64, tick: i64,
): void {
  const elapsed = f64x2.splat(elapsedUs);
  const width = f64x2.splat(wheel.widthUs);
  const now = f64x2.splat(<f64>tick);
  const near = i32x4.splat(<i32>tick & 63);
  const far = i32x4.splat(<i32>(tick >> 6));
  const farMask = i32x4.splat(wheel.farMask);
  store<u32>(end, never);
  store<u32>(end, never, 4);
  store<u32>(end, never, 8);
  for (let at = wheel.closed; at < end; at += 16) {
    const a = recordOf(wheel, load<u32>(at));
    const b = recordOf(wheel, load<u32>(at, 4));
    const c = recordOf(wheel, load<u32>(at, 8));
    const d = recordOf(wheel, load<u32>(at, 12));
    const ahead = v128.shuffle<i64>(
      ticksAhead(elapsed, width, now, a, b), ticksAhead(elapsed, width, now, c, d), 0, 2,
    );
    // Long periods make the margin many ticks: none is before this one. Then since the far bucket began.
    const soonest = i32x4.max_s(ahead, i32x4.splat(0));
    const ticks = i32x4.add(i32x4.min_s(soonest, i32x4.splat(1 << 30)), near);
    const turns = i32x4.min_u(i32x4.shr_u(ticks, 6), farMask);
    const farBuckets = i32x4.add(v128.and(i32x4.add(far, turns), farMask), i32x4.splat(<i32>NEAR));
    const isNear = i32x4.lt_s(ticks, i32x4.splat(<i32>NEAR));
    v128.store(targets, v128.bitselect(ticks, farBuckets, isNear));
    const noted = i32x4.shl(v128.and(ticks, i32x4.splat(63)), ID_BITS);
    v128.store(at, v128.or(v128.load(at), noted));
    targets += 16;
  }
}

/** Puts the closed units where their next windows begin. */
function insertClosed(wheel: Wheel, targets: usize, end: usize): void {
  const buckets = wheel.buckets;
  let occupied: u64 = 0;
  for (let at = wheel.closed; at < end; at += 4) {
    const bucket = <usize>load<u32>(targets);
    occupied |= <u64>(bucket < NEAR) << (<u64>bucket & 63);
    addToBucket(buckets, bucket, load<u32>(at));
    targets += 4;
  }
  wheel.occupied |= occupied;
}

/** Lists the open units and their k as the scan computes it, in no order. */
function describeOpen(wheel: Wheel, end: usize, never: u32, elapsedUs: f64): void {
  const elapsed = f64x2.splat(elapsedUs);
  store<u32>(end, never);
  let units = wheel.units;
  let openness = wheel.openness;
  for (let at = wheel.candidates; at < end; at += 8) {
    const a = recordOf(wheel, load<u32>(at));
    const b = recordOf(wheel, load<u32>(at, 4));
    const slope = f64x2.div(f64x2.splat(2), pairOf(a + 16, b + 16));
    const rise = f64x2.mul(phaseOfPair(elapsed, a, b), slope);
    const k = f64x2.pmin(rise, f64x2.sub(f64x2.splat(2), rise));
    v128.store64_lane(openness, f32x4.demote_f64x2_zero(k), 0);
    store<u32>(units, load<u32>(a, 24));
    store<u32>(units, load<u32>(b, 24), 4);
    units += 8;
    openness += 8;
  }
}

/** Moves the wheel to an event and lists the open units, ascending, and their k. */
export function turn(layer: Layer, wheel: Wheel, timeUs: f64): u32 {
  const elapsedUs = timeUs - layer.startUs;
  const tick = <i64>Math.floor(elapsedUs / wheel.widthUs);
  const isOver = (tick >> 6) - (wheel.tick >> 6) >= <i64>wheel.farMask;
  const end =
    wheel.startUs != layer.startUs || isOver ? build(layer, wheel) : collectDue(wheel, tick);
  const openEnd = sift(wheel, end, layer.units, elapsedUs);
  const count = <u32>((openEnd - wheel.candidates) >> 2);
  describeOpen(wheel, openEnd, layer.units, elapsedUs);
  listAscending(layer, wheel.units, wheel.openness, count, wheel.words);
  const closedEnd = wheel.closed + (end - openEnd);
  chooseBuckets(wheel, openEnd, closedEnd, layer.units, elapsedUs, tick);
  insertClosed(wheel, openEnd, closedEnd);
  wheel.openCount = count;
  wheel.tick = tick;
  wheel.timeUs = timeUs;
  return count;
}
