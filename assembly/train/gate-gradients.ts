import * as at from "./layout";

/**
 * Adds the derivatives by θ, σ and r_on of a triangular gate, from those by k: the twin of
 * src/train/sequence-op/gate-gradients.ts.
 */
export function backwardGates(layout: usize, events: i32, leak: f64): void {
  const start = at.start(layout);
  const unit = at.unit(layout);
  const phi = at.phi(layout);
  const kGradient = at.kGradient(layout);
  const timeUs = at.timeUs(layout);
  const frequency = at.frequency(layout);
  const openRatio = at.openRatio(layout);
  const byLogPeriod = at.logPeriodGradient(layout);
  const byShift = at.shiftGradient(layout);
  const byOpenRatio = at.openRatioGradient(layout);
  let e: usize = load<i32>(start);
  for (let n = 0; n < events; n++) {
    const last: usize = load<i32>(start + (n << 2), 4);
    const time = load<f64>(timeUs + (n << 3));
    for (; e < last; e++) {
      const u: usize = load<u32>(unit + (e << 2)) << 3;
      const ratio = load<f64>(openRatio + u);
      const phase: f64 = load<f32>(phi + (e << 2));
      const slope = phase < ratio / 2 ? 2 / ratio : phase < ratio ? -2 / ratio : leak;
      const byPhase = slope * load<f32>(kGradient + (e << 2));
      subtract(byLogPeriod + u, byPhase * time * load<f64>(frequency + u));
      subtract(byShift + u, byPhase);
      if (phase < ratio) subtract(byOpenRatio + u, (byPhase * phase) / ratio);
    }
  }
}

@inline
function subtract(target: usize, value: f64): void {
  store<f64>(target, load<f64>(target) - value);
}
