import { type Governor, openScale } from "./governor.ts";

/** What a second of a stream costs, at given levels. */
export interface CostRate {
  /** Calls and looks at gates, ns per second of event time. */
  fixedNs: number;
  /** Open units of each layer, ns per second of event time. */
  readonly unitsNs: Float64Array;
}

/** Widening must leave this share of the budget free, or the next window would narrow again. */
const wideningShare = 0.85;

function totalNs({ fixedNs, unitsNs }: CostRate): number {
  let total = fixedNs;
  for (let i = 0; i < unitsNs.length; i++) total += unitsNs[i]!;
  return total;
}

/** What a layer's open units would cost at another level: in proportion to r_on. */
function unitsNsAt(rate: CostRate, layer: number, from: number, to: number): number {
  return (rate.unitsNs[layer]! * openScale(to)) / openScale(from);
}

/**
 * Narrows until the rate fits the budget: always the layer whose open units cost most among those
 * above their floors, by one level; of equal ones the first.
 *
 * @param levels changed, and `rate` with them
 * @returns false if the floors do not let it fit
 */
export function narrowToFit(governor: Governor, levels: Uint8Array, rate: CostRate): boolean {
  const budgetNs = 1000 * governor.usPerSecond;
  while (totalNs(rate) > budgetNs) {
    let costliest = -1;
    governor.layers.forEach(({ kernels }, i) => {
      const isAboveFloor = levels[i]! + 1 < kernels.length;
      const most = costliest < 0 ? 0 : rate.unitsNs[costliest]!;
      if (isAboveFloor && rate.unitsNs[i]! > most) costliest = i;
    });
    if (costliest < 0) return false;
    setLevel(levels, rate, costliest, levels[costliest]! + 1);
  }
  return true;
}

/**
 * Widens the most narrowed layer by one level, of equal ones the first, if 85 % of the budget would
 * still do.
 *
 * @param isAsked false: only tells whether it would
 */
export function widenIfFits(
  governor: Governor,
  levels: Uint8Array,
  rate: CostRate,
  isAsked: boolean,
): boolean {
  let narrowest = 0;
  for (let i = 1; i < levels.length; i++) if (levels[i]! > levels[narrowest]!) narrowest = i;
  const level = levels[narrowest]!;
  if (level === 0) return false;
  const more = unitsNsAt(rate, narrowest, level, level - 1) - rate.unitsNs[narrowest]!;
  if (totalNs(rate) + more > wideningShare * 1000 * governor.usPerSecond) return false;
  if (isAsked) setLevel(levels, rate, narrowest, level - 1);
  return true;
}

function setLevel(levels: Uint8Array, rate: CostRate, layer: number, level: number): void {
  rate.unitsNs[layer] = unitsNsAt(rate, layer, levels[layer]!, level);
  levels[layer] = level;
}
