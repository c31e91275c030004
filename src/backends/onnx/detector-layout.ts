import type { DetectedBox } from "../../sensors/video/box-detector.ts";

/** What a detector puts out. */
export interface DetectorOutput {
  readonly name: string;
  readonly sides: readonly number[];
  readonly values: Float32Array;
}

/** How a kind of detector wants its pictures, and where in its outputs the boxes are. */
export interface DetectorLayout {
  /** Input is (pixel − mean) / deviation. */
  readonly mean: number;
  readonly deviation: number;
  /** What the outputs must be, for messages. */
  readonly expected: string;
  /** Parts of the picture, or pixels of the input, that boxes are told in. */
  readonly unit: "share" | "pixel";
  /** The boxes of these outputs; undefined if they are not of this layout. */
  readonly read: (outputs: readonly DetectorOutput[]) => BoxList | undefined;
}

/** Boxes side by side in memory: left, top, right, bottom from `boxes[i * boxStep]`. */
export interface BoxList {
  readonly count: number;
  readonly boxes: Float32Array;
  readonly boxStep: number;
  /** Confidence of box i: `scores[i * scoreStep + scoreAt]`. */
  readonly scores: Float32Array;
  readonly scoreStep: number;
  readonly scoreAt: number;
}

/** The kinds of detectors that can be read. */
export type DetectorKind = "ssd" | "rows";

/**
 * - `ssd`: `boxes` [1, N, 4] as shares of the picture, `scores` [1, N, 2] of background and face: SSD
 *   detectors without their non-maximum suppression, such as UltraFace (version-RFB-320 and -640 of
 *   the ONNX Model Zoo), whose normalisation this is.
 * - `rows`: one output [1, N, 5 or more] of left, top, right, bottom in pixels of the input, confidence,
 *   and what is not read (class, landmarks): YOLO detectors that were exported with their non-maximum
 *   suppression, whose normalisation this is.
 */
export const detectorLayouts: Readonly<Record<DetectorKind, DetectorLayout>> = {
  ssd: {
    mean: 127,
    deviation: 128,
    expected: "boxes [1, N, 4] and scores [1, N, 2]",
    unit: "share",
    read: readSsd,
  },
  rows: {
    mean: 0,
    deviation: 255,
    expected: "one of [1, N, 5 or more]",
    unit: "pixel",
    read: readRows,
  },
};

function readSsd(outputs: readonly DetectorOutput[]): BoxList | undefined {
  const boxes = outputs.find((output) => rowLength(output) === 4);
  const scores = outputs.find((output) => rowLength(output) === 2);
  if (outputs.length !== 2 || boxes === undefined || scores === undefined) return undefined;
  const count = boxes.values.length / 4;
  if (scores.values.length !== 2 * count) return undefined;
  return {
    ...{ count, boxes: boxes.values, boxStep: 4 },
    ...{ scores: scores.values, scoreStep: 2, scoreAt: 1 },
  };
}

function readRows(outputs: readonly DetectorOutput[]): BoxList | undefined {
  const [rows, ...others] = outputs;
  const step = rows === undefined ? undefined : rowLength(rows);
  if (rows === undefined || step === undefined || step < 5 || others.length > 0) return undefined;
  const { values } = rows;
  const count = values.length / step;
  return { count, boxes: values, boxStep: step, scores: values, scoreStep: step, scoreAt: 4 };
}

/** Of [N, length] or [1, N, length]. */
function rowLength({ sides }: DetectorOutput): number | undefined {
  const isBatchOfOne = sides.length === 3 && sides[0] === 1;
  return sides.length === 2 || isBatchOfOne ? sides.at(-1) : undefined;
}

/**
 * The box of the highest confidence, of equal ones the first; undefined if none has at least
 * `scoreMin`. Overlapping boxes need no suppression, since only one is taken. Boxes that are empty or not
 * of finite numbers are none.
 */
export function bestBox(list: BoxList, scoreMin: number): DetectedBox | undefined {
  let best: DetectedBox | undefined;
  for (let i = 0; i < list.count; i++) {
    const confidence = list.scores[i * list.scoreStep + list.scoreAt]!;
    if (!(confidence >= scoreMin && confidence > (best?.confidence ?? Number.NEGATIVE_INFINITY))) {
      continue;
    }
    const at = i * list.boxStep;
    const [left, top, right, bottom] = list.boxes.subarray(at, at + 4) as unknown as Corners;
    // Infinity − Infinity and NaN are not above 0.
    if (right - left > 0 && bottom - top > 0 && Number.isFinite(right - left + bottom - top)) {
      best = { left, top, right, bottom, confidence };
    }
  }
  return best;
}

type Corners = readonly [number, number, number, number];
