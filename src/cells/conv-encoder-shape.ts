/** Channels of each convolution of the paper's video encoder. */
export const encoderChannels = 16;
/** Side of its kernels. */
export const encoderKernelSide = 5;
/** Convolution–pool stages. */
export const encoderStages = 3;

/**
 * Side lengths of a frame's side after each stage: valid 5-convolution, then 2-pooling, a rest of
 * one dropped. 48 → 22 → 9 → 2.
 */
function stageSides(side: number): readonly number[] {
  const sides: number[] = [];
  let current = side;
  for (let stage = 0; stage < encoderStages; stage++) {
    current = Math.floor((current - encoderKernelSide + 1) / 2);
    sides.push(current);
  }
  return sides;
}

/** Length of the code of a frame: channels · rows · columns of the last stage; 64 for 48×48. */
export function encodedLength(width: number, height: number): number {
  const columns = stageSides(width).at(-1)!;
  const rows = stageSides(height).at(-1)!;
  return Math.max(0, encoderChannels * rows * columns);
}
