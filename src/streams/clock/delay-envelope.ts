/** One observation. */
interface Point {
  readonly sensorUs: number;
  readonly delayUs: number;
}

/** A stretch of sensor time, and its two observations of least delay. */
interface Bin {
  readonly index: number;
  least: Point;
  second: Point | undefined;
  count: number;
}

/** delay ≈ offsetUs + drift · (sensorUs − atUs) */
export interface DelayLine {
  readonly atUs: number;
  readonly offsetUs: number;
  readonly drift: number;
}

const binUs = 1_000_000;
const bins = 60;
/** Of so many observations the least may be an outlier, and the second tells nearly as much. */
const secondFrom = 8;
/** Bins of slow sensors count as one until it holds so many observations, or is of so many bins. */
const groupFrom = 24;
const groupBinsMax = 3;
/** Below this span a drift cannot be told from jitter. */
const driftSpanUs = 10_000_000;
const levelSpanUs = 10_000_000;
/**
 * A drift that was fitted over the first of these spans, and so long ago that no step can have spoilt it
 * unseen, is known: a clock that is set keeps its quartz. It holds until there is a span of the last.
 */
const knownSpanUs = 50_000_000;
const knownAgoUs = 20_000_000;
const trustedSpanUs = 45_000_000;
/** Of so many points the least may be an outlier, as in a bin. */
const secondPointFrom = 20;
/** No quartz is worse; what would be, is noise. */
const driftMax = 500e-6;

/**
 * The lower envelope of a sensor's delays (receive time − sensor time) over the last minute: jitter
 * only ever adds to a delay, so the least ones lie on the line that clock offset and drift make.
 *
 * The line is that edge of the lower convex hull of the bins' (second) least delays which lies over their
 * mean time: of all lines under the points the one with the least sum of distances (Moon, Skelly,
 * Towsley, "Estimation and removal of clock skew from network delay measurements", 1999).
 */
export class DelayEnvelope {
  readonly #bins: Bin[] = [];
  /** Drifts fitted over a long span in the last while. */
  readonly #fits: { readonly atUs: number; readonly drift: number }[] = [];
  #knownDrift: number | undefined;

  /** Takes one observation, in order of sensor time but for disorder within a bin. */
  add(sensorUs: number, delayUs: number): void {
    const index = Math.floor(sensorUs / binUs);
    const last = this.#bins.at(-1);
    if (last === undefined || index > last.index) {
      this.#bins.push({ index, least: { sensorUs, delayUs }, second: undefined, count: 1 });
      while (this.#bins[0]!.index <= index - bins) this.#bins.shift();
    } else if (index === last.index) {
      last.count++;
      if (delayUs < last.least.delayUs) {
        last.second = last.least;
        last.least = { sensorUs, delayUs };
      } else if (last.second === undefined || delayUs < last.second.delayUs) {
        last.second = { sensorUs, delayUs };
      }
    }
  }

  /**
   * The clock was set: forgets all delays.
   *
   * @param keepsDrift whether its drift goes on as it was known before
   */
  clear(keepsDrift: boolean): void {
    this.#knownDrift = keepsDrift ? (this.#fits[0]?.drift ?? this.#knownDrift) : undefined;
    this.#fits.length = 0;
    this.#bins.length = 0;
  }

  /** Line under all observations; undefined before the first. With drift 0 unless it is wanted. */
  line(withDrift: boolean): DelayLine | undefined {
    const points = groups(this.#bins).map(({ least, second, count }) => {
      return count < secondFrom ? least : second!;
    });
    const first = points[0];
    if (first === undefined) return undefined;
    const spanUs = points.at(-1)!.sensorUs - first.sensorUs;
    if (withDrift && this.#knownDrift !== undefined && spanUs < trustedSpanUs) {
      return parallel(points, this.#knownDrift);
    }
    // Without drift only what is recent counts.
    if (!withDrift || spanUs < driftSpanUs) {
      const sinceUs = points.at(-1)!.sensorUs - levelSpanUs;
      return level(points.filter(({ sensorUs }) => sensorUs >= sinceUs));
    }
    const hull = lowerHull(points);
    const meanUs = points.reduce((sum, { sensorUs }) => sum + sensorUs, 0) / points.length;
    const right = hull.findIndex(({ sensorUs }) => sensorUs >= meanUs);
    const [a, b] = [hull[right - 1]!, hull[right]!];
    const slope = (b.delayUs - a.delayUs) / (b.sensorUs - a.sensorUs);
    const drift = Math.min(driftMax, Math.max(-driftMax, slope));
    if (spanUs >= knownSpanUs) this.#keepFit(points.at(-1)!.sensorUs, drift);
    return { atUs: b.sensorUs, offsetUs: b.delayUs, drift };
  }

  #keepFit(atUs: number, drift: number): void {
    const fits = this.#fits;
    fits.push({ atUs, drift });
    while (fits.length > 1 && fits[1]!.atUs <= atUs - knownAgoUs) fits.shift();
  }
}

/** Bins, or several of them as one, in order of time; formed from the newest back. */
function groups(bins: readonly Bin[]): readonly Bin[] {
  const formed: Bin[] = [];
  let group: Bin | undefined;
  for (let i = bins.length - 1; i >= 0; i--) {
    const bin = bins[i]!;
    group = group === undefined ? bin : joined(group, bin);
    const nextIndex = bins[i - 1]?.index ?? Number.NEGATIVE_INFINITY;
    if (group.count < groupFrom && group.index - nextIndex < groupBinsMax) continue;
    formed.push(group);
    group = undefined;
  }
  return formed.reverse();
}

/** A bin and one before it as one: the two least delays of both. */
function joined(a: Bin, b: Bin): Bin {
  const [first, other] = a.least.delayUs <= b.least.delayUs ? [a, b] : [b, a];
  const { least, second } = first;
  const next = second === undefined || other.least.delayUs < second.delayUs ? other.least : second;
  return { index: a.index, least, second: next, count: a.count + b.count };
}

function level(points: readonly Point[]): DelayLine {
  const { sensorUs, delayUs } = points.reduce((a, b) => (b.delayUs < a.delayUs ? b : a));
  return { atUs: sensorUs, offsetUs: delayUs, drift: 0 };
}

/** The line of a known drift that lies under the points. */
function parallel(points: readonly Point[], drift: number): DelayLine {
  const offset = ({ sensorUs, delayUs }: Point): number => delayUs - sensorUs * drift;
  const ordered = points.toSorted((a, b) => offset(a) - offset(b));
  const { sensorUs, delayUs } = ordered[points.length < secondPointFrom ? 0 : 1]!;
  return { atUs: sensorUs, offsetUs: delayUs, drift };
}

/** Andrew's monotone chain; the bins come in order of time. */
function lowerHull(points: readonly Point[]): readonly Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    while (hull.length >= 2 && !turnsUp(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

function turnsUp(a: Point, b: Point, c: Point): boolean {
  const before = (b.delayUs - a.delayUs) * (c.sensorUs - b.sensorUs);
  const after = (c.delayUs - b.delayUs) * (b.sensorUs - a.sensorUs);
  return after > before;
}
