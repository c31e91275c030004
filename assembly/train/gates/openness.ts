import * as at from "../layout";

/** φ of two units. */
@inline
export function phaseOf(turns: v128, shift: v128): v128 {
  const cycles = f64x2.sub(turns, shift);
  return f64x2.sub(cycles, f64x2.floor(cycles));
}

/** k of two units if they are open. */
@inline
export function openness(mode: i32, phase: v128, slope: v128): v128 {
  const rise = f64x2.mul(phase, slope);
  const triangle = f64x2.pmin(rise, f64x2.sub(f64x2.splat(2), rise));
  return v128.bitselect(triangle, f64x2.splat(1), i64x2.splat(mode == 0 ? -1 : 0));
}

/** A bit for each of two units that is open and does not only leak. */
@inline
export function openersOf(isOpen: v128, k: v128, isPair: bool): i32 {
  return i64x2.bitmask(v128.and(isOpen, f64x2.gt(k, f64x2.splat(0)))) & (isPair ? 3 : 1);
}

/** Unit of an entry, and v of its sequence. */
@inline
export function writeUnit(layout: usize, e: usize, unit: usize, view: usize): void {
  const entry = at.entries(layout) + (e << 3);
  store<u32>(entry, unit);
  store<u32>(entry, view, 4);
}
