import type * as tfjs from "@tensorflow/tfjs-core";

const kernelName = "Conv2DBackpropFilter";

/** What tfjs hands to a kernel of this name. */
interface FilterGradientCall {
  readonly inputs: { readonly x: tfjs.Tensor4D; readonly dy: tfjs.Tensor4D };
  readonly attrs: {
    readonly strides: number | [number, number];
    readonly pad: "valid" | "same" | number;
    readonly dataFormat: "NHWC" | "NCHW";
    readonly dimRoundingMode?: "floor" | "round" | "ceil";
    readonly filterShape: [number, number, number, number];
  };
}

/**
 * Gives tfjs's wasm backend the derivative of a convolution by its filter, which it lacks; without
 * it no convolution can be trained there. Does nothing where there is one.
 */
export function registerConv2dBackpropFilter(tf: typeof tfjs): void {
  if (tf.getKernel(kernelName, "wasm") !== undefined) return;
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: (call) => filterGradient(tf, call as unknown as FilterGradientCall),
  });
}

/**
 * A convolution again: of x with dy as the filter, where channels and batch have changed places and
 * strides have become dilations.
 */
function filterGradient(tf: typeof tfjs, { inputs, attrs }: FilterGradientCall): tfjs.Tensor {
  const { x, dy } = inputs;
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs;
  if (dataFormat !== "NHWC") {
    throw new Error(`Cannot differentiate a convolution: data must be NHWC, got ${dataFormat}`);
  }
  const { padInfo, strideHeight, strideWidth } = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const [rows, columns, channels, outputs] = filterShape;
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
      [0, 0],
    ]);
    const images = tf.transpose(padded, [3, 1, 2, 0]);
    const filters = tf.transpose(dy, [1, 2, 0, 3]);
    const dilations: [number, number] = [strideHeight, strideWidth];
    const product = tf.conv2d(images, filters, 1, "valid", "NHWC", dilations);
    // Rows and columns that no stride reached are left over at the end.
    const reached = tf.slice4d(product, [0, 0, 0, 0], [channels, rows, columns, outputs]);
    return tf.transpose(reached, [1, 2, 0, 3]);
  });
}
