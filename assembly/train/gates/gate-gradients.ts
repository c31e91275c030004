import * as at from "../layout";

/**
 * Adds the derivatives by θ, σ and r_on of the triangular gate of unit u, from those by k of its
 * sorted entries: the twin of src/train/sequence-op/gate-gradients.ts.
 */
export function addGateGradients(
  layout: usize,
  u: usize,
  first: usize,
  last: usize,
  leak: f64,
): void {
  const gates = at.gates(layout);
  const phi = at.phi(layout);
  const turns = at.turns(layout);
  const kGradient = at.kGradient(layout);
  const ratio = load<f64>(at.openRatio(layout) + (u << 3));
  const rise = 2 / ratio;
  let byLogPeriod: f64 = 0;
  let byShift: f64 = 0;
  let byOpenRatio: f64 = 0;
  for (let entry = first; entry < last; entry += 8) {
    const e = (load<u32>(entry) - gates) >> 2;
    const phase: f64 = load<f32>(phi + e);
    const slope = phase < ratio / 2 ? rise : phase < ratio ? -rise : leak;
    const byPhase = slope * load<f32>(kGradient + e);
    byLogPeriod += byPhase * load<f32>(turns + e);
    byShift += byPhase;
    if (phase < ratio) byOpenRatio += byPhase * phase;
  }
  subtract(at.logPeriodGradient(layout) + (u << 3), byLogPeriod);
  subtract(at.shiftGradient(layout) + (u << 3), byShift);
  subtract(at.openRatioGradient(layout) + (u << 3), byOpenRatio / ratio);
}

@inline
function subtract(target: usize, value: f64): void {
  store<f64>(target, load<f64>(target) - value);
}
