/**
 * One step of Adam for `count` parameters, and their gradients set to zero: the twin of
 * src/train/optimizers/adam.ts.
 *
 * @param momentumRest 1 − momentum, and `squareRest` 1 − squareDecay: from float32 they would be rough
 * @param keep what weight decay leaves of a parameter
 */
export function stepAdam(
  values: usize,
  gradient: usize,
  mean: usize,
  square: usize,
  count: usize,
  momentum: f32,
  momentumRest: f32,
  squareDecay: f32,
  squareRest: f32,
  rate: f32,
  keep: f32,
): void {
  const bytes = count << 2;
  const vectorBytes = bytes & ~15;
  const epsilon: f32 = 1e-8;
  for (let m: usize = 0; m < vectorBytes; m += 16) {
    const g = v128.load(gradient + m);
    const first = f32x4.add(
      f32x4.mul(v128.load(mean + m), f32x4.splat(momentum)),
      f32x4.mul(g, f32x4.splat(momentumRest)),
    );
    const second = f32x4.add(
      f32x4.mul(v128.load(square + m), f32x4.splat(squareDecay)),
      f32x4.mul(f32x4.mul(g, f32x4.splat(squareRest)), g),
    );
    v128.store(mean + m, first);
    v128.store(square + m, second);
    const move = f32x4.div(
      f32x4.mul(first, f32x4.splat(rate)),
      f32x4.add(f32x4.sqrt(second), f32x4.splat(epsilon)),
    );
    v128.store(values + m, f32x4.sub(f32x4.mul(v128.load(values + m), f32x4.splat(keep)), move));
    v128.store(gradient + m, f32x4.splat(0));
  }
  for (let m = vectorBytes; m < bytes; m += 4) {
    const g = load<f32>(gradient + m);
    const first = load<f32>(mean + m) * momentum + g * momentumRest;
    const second = load<f32>(square + m) * squareDecay + g * squareRest * g;
    store<f32>(mean + m, first);
    store<f32>(square + m, second);
    const move = (first * rate) / (sqrt<f32>(second) + epsilon);
    store<f32>(values + m, load<f32>(values + m) * keep - move);
    store<f32>(gradient + m, 0);
  }
}
