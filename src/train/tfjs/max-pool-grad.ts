import type * as tfjs from "@tensorflow/tfjs-core";

const kernelName = "MaxPoolGrad";

/** What tfjs hands to a kernel of this name. */
interface PoolGradientCall {
  readonly inputs: { readonly dy: tfjs.Tensor4D; readonly input: tfjs.Tensor4D };
  readonly attrs: {
    readonly filterSize: number | [number, number];
    readonly strides: number | [number, number];
    readonly pad: "valid" | "same" | number;
    readonly dimRoundingMode?: "floor" | "round" | "ceil";
  };
}

/**
 * Replaces the derivative of max pooling on tfjs's wasm backend. That of 4.22 begins its search for
 * the maximum just above 0, and so loses the derivative of windows without a positive value.
 */
export function replaceMaxPoolGrad(tf: typeof tfjs): void {
  if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: (call) => poolGradient(tf, call as unknown as PoolGradientCall),
  });
}

/** The derivative goes to the first of the largest values of a window, as on the cpu backend. */
function poolGradient(tf: typeof tfjs, { inputs, attrs }: PoolGradientCall): tfjs.Tensor {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const { shape } = inputs.input;
  const info = tf.backend_util.computePool2DInfo(
    shape,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const x = inputs.input.dataSync();
  const dy = inputs.dy.dataSync();
  const gradient = new Float32Array(x.length);
  let n = 0;
  for (let b = 0; b < info.batchSize; b++) {
    for (let row = 0; row < info.outHeight; row++) {
      for (let column = 0; column < info.outWidth; column++) {
        for (let channel = 0; channel < info.inChannels; channel++) {
          gradient[largestOfWindow(x, info, { b, row, column, channel })]! += dy[n++]!;
        }
      }
    }
  }
  return tf.tensor4d(gradient, shape);
}

/** Index in `x` [B, height, width, channels] of the largest value of the window of an output. */
function largestOfWindow(
  x: ArrayLike<number>,
  info: tfjs.backend_util.Conv2DInfo,
  at: {
    readonly b: number;
    readonly row: number;
    readonly column: number;
    readonly channel: number;
  },
): number {
  const top = at.row * info.strideHeight - info.padInfo.top;
  const left = at.column * info.strideWidth - info.padInfo.left;
  let largest = -1;
  for (let y = Math.max(0, top); y < Math.min(info.inHeight, top + info.filterHeight); y++) {
    for (let z = Math.max(0, left); z < Math.min(info.inWidth, left + info.filterWidth); z++) {
      const index = ((at.b * info.inHeight + y) * info.inWidth + z) * info.inChannels + at.channel;
      if (largest === -1 || x[index]! > x[largest]!) largest = index;
    }
  }
  return largest;
}
