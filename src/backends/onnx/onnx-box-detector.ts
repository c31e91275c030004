import { createHash } from "node:crypto";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { BoxDetector, DetectedBox } from "../../sensors/video/box-detector.ts";
import { fitPicture, letterboxGrey, type PictureFit } from "../../sensors/video/fit-picture.ts";
import type { GreyPicture } from "../../sensors/video/grey-picture.ts";
import type { PictureBox } from "../../sensors/video/picture-box.ts";
import {
  type BoxList,
  bestBox,
  type DetectorKind,
  type DetectorOutput,
  detectorLayouts,
} from "./detector-layout.ts";
import { loadOnnxruntime } from "./load-onnxruntime.ts";

export interface OnnxBoxDetectorOptions {
  readonly kind: DetectorKind;
  /** Boxes of lower confidence are none. */
  readonly scoreMin: number;
  /** How whole pictures are brought to the size that the model looks at. Default `stretch`. */
  readonly fit?: PictureFit;
  /** What the model's sha256 must be, in hexadecimal digits. Default: whatever it is. */
  readonly sha256?: string;
  /** Names the model in messages. */
  readonly path: string;
}

/** A detector, and which. */
export interface OnnxBoxDetector extends BoxDetector {
  /** Of the model's bytes. */
  readonly sha256: string;
  /** What it looks at: whole pictures are brought to this. */
  readonly width: number;
  readonly height: number;
}

/**
 * A user's own detector in onnxruntime, on one thread: grey pictures [1, 1 or 3, height, width] in (the
 * same grey in all channels), boxes out as its kind has them ({@link detectorLayouts}). It looks at
 * one empty picture before anything else, so that a model of another kind is refused at once.
 *
 * @throws {PolyphaseError} BACKEND_UNAVAILABLE without onnxruntime; BAD_MODEL if the bytes have another
 *   sha256, cannot be loaded, or have other inputs or outputs
 */
export async function createOnnxBoxDetector(
  model: Uint8Array,
  options: OnnxBoxDetectorOptions,
): Promise<OnnxBoxDetector> {
  const { kind, scoreMin, path, fit = "stretch" } = options;
  const sha256 = createHash("sha256").update(model).digest("hex");
  const wanted = options.sha256?.toLowerCase() ?? sha256;
  if (sha256 !== wanted) throw detectorError(path, `its sha256 must be ${wanted}, got ${sha256}`);
  const onnxruntime = await loadOnnxruntime();
  const session = await onnxruntime.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  }).catch((cause: unknown) => {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw detectorError(path, `it must load in onnxruntime: ${what}`, cause);
  });
  const input = inputOf(session, path);
  const { name, channels, width, height } = input;
  const look = (picture: GreyPicture): Promise<BoxList> => {
    const values = inputValues(picture, channels, kind);
    const tensor = new onnxruntime.Tensor("float32", values, [1, channels, height, width]);
    return run(session, { [name]: tensor }, options);
  };
  await look({ width, height, pixels: new Uint8Array(width * height) });
  const { unit } = detectorLayouts[kind];
  const fitName = fit === "stretch" ? "" : `-${fit}${letterboxGrey}`;
  return {
    name: `detector-${kind}${fitName}-score${scoreMin}-sha256:${sha256}`,
    sha256,
    width,
    height,
    detect: async (picture) => {
      const fitted = fitPicture(picture, input, fit);
      const found = bestBox(await look(fitted.picture), scoreMin);
      const lengths = unit === "share" ? input : { width: 1, height: 1 };
      return found && insideOf(picture, boxBefore(found, lengths, fitted.place, picture));
    },
  };
}

/** The one input of a model. */
interface DetectorInput {
  readonly name: string;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
}

function inputOf({ inputMetadata }: InferenceSession, path: string): DetectorInput {
  const [only, ...others] = inputMetadata;
  const expected = "it must have one float32 input [1, 1 or 3, height, width] of a fixed size";
  if (only?.isTensor !== true || others.length > 0) {
    throw detectorError(path, `${expected}, got ${inputMetadata.length} inputs`);
  }
  const { name, type, shape } = only;
  const [batch, channels, height, width] = shape;
  const isOne = batch === 1 || typeof batch === "string" || batch === -1;
  const isSized = isSide(height) && isSide(width) && (channels === 1 || channels === 3);
  if (type === "float32" && shape.length === 4 && isOne && isSized) {
    return { name, channels, width, height };
  }
  throw detectorError(path, `${expected}, got ${type} [${shape.join(", ")}]`);
}

function isSide(side: number | string | undefined): side is number {
  return typeof side === "number" && side > 0;
}

/** The same grey in all channels, as the kind has it. */
function inputValues({ pixels }: GreyPicture, channels: number, kind: DetectorKind): Float32Array {
  const { mean, deviation } = detectorLayouts[kind];
  const values = new Float32Array(channels * pixels.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = (pixels[i % pixels.length]! - mean) / deviation;
  }
  return values;
}

async function run(
  session: InferenceSession,
  inputs: Readonly<Record<string, Tensor>>,
  { kind, path }: OnnxBoxDetectorOptions,
): Promise<BoxList> {
  const { expected, read } = detectorLayouts[kind];
  const results = await session.run(inputs);
  const outputs = session.outputNames.map((output): DetectorOutput => {
    const { data, dims } = results[output]!;
    const isFloat = data instanceof Float32Array;
    return {
      name: output,
      sides: isFloat ? dims : [],
      values: isFloat ? data : new Float32Array(),
    };
  });
  const boxes = read(outputs);
  if (boxes !== undefined) return boxes;
  const got = session.outputNames.map((output) => {
    const { type, dims } = results[output]!;
    return `${output} ${type} [${dims.join(", ")}]`;
  });
  throw detectorError(
    path,
    `float32 outputs of kind ${kind} must be ${expected}, got ${got.join(" and ")}`,
  );
}

interface Lengths {
  readonly width: number;
  readonly height: number;
}

/**
 * A box in pixels of a picture, of one that was found where all of that picture lies at `place`.
 *
 * @param lengths pixels in one unit of the box
 */
function boxBefore(
  { left, top, right, bottom, confidence }: DetectedBox,
  lengths: Lengths,
  place: PictureBox,
  picture: Lengths,
): DetectedBox {
  // Whole numbers are multiplied before they are divided: what fills the model's input is exact.
  const across = (lengths.width * picture.width) / place.width;
  const down = (lengths.height * picture.height) / place.height;
  const fromLeft = (place.x * picture.width) / place.width;
  const fromTop = (place.y * picture.height) / place.height;
  return {
    left: left * across - fromLeft,
    top: top * down - fromTop,
    right: right * across - fromLeft,
    bottom: bottom * down - fromTop,
    confidence,
  };
}

/** A box of which nothing lies in the picture is none. */
function insideOf({ width, height }: GreyPicture, box: DetectedBox): DetectedBox | undefined {
  const isInside = box.left < width && box.top < height && box.right > 0 && box.bottom > 0;
  return isInside ? box : undefined;
}

function detectorError(path: string, what: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot use detector ${path}: ${what}`, { cause });
}
