import { encodeOnnx, type OnnxNode } from "../../src/backends/onnx/onnx-writer.ts";

/** Cells across and down of the picture that a tiny detector looks at, and their side in pixels. */
const [across, down, side] = [4, 3, 8];
const cells = across * down;
const [width, height] = [across * side, down * side];

/**
 * A detector of bright cells: a picture of 32 × 24 in, 12 boxes out, one for each cell of 8 × 8; its
 * confidence is the cell's mean brightness, as the kind's normalisation makes it.
 */
export function tinyDetector(kind: "ssd" | "rows", channels: 1 | 3 = 3): Uint8Array {
  const classes = kind === "ssd" ? 2 : 1;
  const nodes: OnnxNode[] = [
    {
      operator: "Conv",
      inputs: ["picture", "means"],
      outputs: ["perCell"],
      integers: { kernel_shape: [side, side], strides: [side, side] },
    },
    { operator: "Flatten", inputs: ["perCell"], outputs: ["flat"], integer: { axis: 2 } },
    { operator: "Transpose", inputs: ["flat"], outputs: ["turned"], integers: { perm: [1, 0] } },
    // Adds the side of the batch.
    {
      operator: "MatMul",
      inputs: ["same", "turned"],
      outputs: [kind === "ssd" ? "scores" : "confidence"],
    },
  ];
  if (kind === "ssd") nodes.push({ operator: "Identity", inputs: ["places"], outputs: ["boxes"] });
  else {
    nodes.push({
      operator: "Concat",
      inputs: ["places", "confidence"],
      outputs: ["rows"],
      integer: { axis: 2 },
    });
  }
  return encodeOnnx({
    name: `tiny-${kind}`,
    nodes,
    initializers: [
      { name: "means", shape: [classes, channels, side, side], data: means(classes, channels) },
      { name: "same", shape: [1, cells, cells], data: unitMatrix() },
      { name: "places", shape: [1, cells, 4], data: places(kind) },
    ],
    inputs: [{ name: "picture", shape: [1, channels, height, width] }],
    outputs:
      kind === "ssd"
        ? [
            { name: "scores", shape: [1, cells, 2] },
            { name: "boxes", shape: [1, cells, 4] },
          ]
        : [{ name: "rows", shape: [1, cells, 5] }],
  });
}

/** The last class is the mean, one before it its opposite. */
function means(classes: number, channels: number): Float32Array {
  const perClass = channels * side * side;
  return Float32Array.from({ length: classes * perClass }, (_, i) => {
    return (i >= (classes - 1) * perClass ? 1 : -1) / perClass;
  });
}

function unitMatrix(): Float32Array {
  return Float32Array.from({ length: cells * cells }, (_, i) => (i % (cells + 1) === 0 ? 1 : 0));
}

function places(kind: "ssd" | "rows"): Float32Array {
  const [x, y] = kind === "ssd" ? [1 / width, 1 / height] : [1, 1];
  return Float32Array.from(
    Array.from({ length: cells }, (_, cell) => {
      const [left, top] = [(cell % across) * side, Math.floor(cell / across) * side];
      return [left * x, top * y, (left + side) * x, (top + side) * y];
    }).flat(),
  );
}
