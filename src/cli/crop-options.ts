import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { DetectorKind } from "../backends/onnx/detector-layout.ts";
import type { FusionGraph } from "../fusion/fusion-graph.ts";
import type { VideoSensorSpec } from "../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { PictureFit } from "../sensors/video/fit-picture.ts";
import type { PictureBox } from "../sensors/video/picture-box.ts";
import {
  detectorCropper,
  fixedCropper,
  type PictureSize,
  type VideoCropper,
} from "../sensors/video/video-cropper.ts";

type CropMode = "precropped" | "fixed" | "detector";

export interface CropOptions {
  readonly crop?: CropMode;
  readonly box?: PictureBox;
  readonly detector?: string;
  readonly detectorKind?: DetectorKind;
  readonly detectorFit?: PictureFit;
  readonly detectorSha256?: string;
  readonly detectorScore?: number;
  readonly cropMargin?: number;
}

/** Boxes that UltraFace's own demonstrations take. */
const usualScore = 0.7;

const cropHelp =
  "fixed: take --box of every picture; detector: take the square around what --detector finds; " +
  "a picture in which it finds nothing gives no event";

/**
 * Adds --crop and what belongs to it.
 *
 * @param precropped help for the mode in which nothing is cut; left out where there is none
 */
export function addCropOptions(command: Command, precropped?: string): Command {
  const modes = ["fixed", "detector"];
  const option =
    precropped === undefined
      ? new Option("--crop <mode>", `${cropHelp} (default: fixed)`).choices(modes)
      : new Option(
          "--crop <mode>",
          `precropped: ${precropped}; ${cropHelp} (default: fixed with --box, else precropped)`,
        ).choices(["precropped", ...modes]);
  return command
    .addOption(option)
    .option("--box <x,y,w,h>", "part of the pictures to take, in pixels", parseBox)
    .option("--detector <file>", "ONNX model of your own that finds a face or a mouth")
    .addOption(
      new Option(
        "--detector-kind <kind>",
        "ssd: boxes [1,N,4] and scores [1,N,2], as UltraFace; rows: [1,N,5 or more], as YOLO with " +
          "its suppression exported (default: ssd)",
      ).choices(["ssd", "rows"]),
    )
    .addOption(
      new Option(
        "--detector-fit <fit>",
        "how pictures are brought to the detector's size. stretch: whatever their proportions; " +
          "letterbox: in proportion, grey on both sides (default: stretch)",
      ).choices(["stretch", "letterbox"]),
    )
    .option("--detector-sha256 <hex>", "refuse any other file", sha256)
    .option("--detector-score <p>", `least confidence (default: ${usualScore})`, positive)
    .option("--crop-margin <x>", "side of the square, in longer sides of the box", positive);
}

/** What cuts pictures to a size; undefined where they come cut. */
export type CropperOf = (size: PictureSize) => VideoCropper;

/**
 * The crop that the options ask for. Says which detector it is.
 *
 * @throws {PolyphaseError} USAGE for options that do not go together; FILE_NOT_FOUND or BAD_MODEL for
 *   the detector
 */
export async function openCrop(
  options: CropOptions,
  say: (message: string) => void,
): Promise<CropperOf | undefined> {
  const { box, detector } = options;
  const crop = checkedMode(options, box === undefined ? "precropped" : "fixed");
  if (crop === "precropped") return undefined;
  if (crop === "detector") return openDetector(detector!, options, say);
  if (box === undefined) throw usage("--crop fixed needs --box x,y,w,h");
  return (size) => fixedCropper(box, size);
}

/**
 * The mode that the options ask for.
 *
 * @throws {PolyphaseError} USAGE for options that do not go together
 */
export function checkedMode<M extends CropMode>(
  options: CropOptions,
  usual: M,
): "fixed" | "detector" | M {
  const { box, detector } = options;
  const crop = (options.crop ?? usual) as "fixed" | "detector" | M;
  refuseUnless(crop === "fixed", "--crop fixed", { "--box": box });
  refuseUnless(crop === "detector", "--crop detector", {
    "--detector": detector,
    "--detector-kind": options.detectorKind,
    "--detector-fit": options.detectorFit,
    "--detector-sha256": options.detectorSha256,
    "--detector-score": options.detectorScore,
    "--crop-margin": options.cropMargin,
  });
  if (crop === "detector" && detector === undefined) {
    throw usage("--crop detector needs --detector file.onnx");
  }
  return crop;
}

async function openDetector(
  path: string,
  { detectorKind: kind = "ssd", detectorSha256: sha256, ...options }: CropOptions,
  say: (message: string) => void,
): Promise<CropperOf> {
  const { detectorScore: scoreMin = usualScore, detectorFit: fit = "stretch" } = options;
  const { cropMargin = 1 } = options;
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "there is no such file" : cause.message;
    throw new PolyphaseError("FILE_NOT_FOUND", `Cannot read ${path}: ${reason}`, { cause });
  });
  // Loaded on demand: who crops otherwise never pays for onnxruntime.
  const { createOnnxBoxDetector } = await import("../backends/onnx/onnx-box-detector.ts");
  const detector = await createOnnxBoxDetector(bytes, {
    ...{ kind, fit, scoreMin, path },
    ...(sha256 === undefined ? {} : { sha256 }),
  });
  const { width, height } = detector;
  say(`detector ${path}: ${kind}, ${width}x${height}, ${fit}, sha256 ${detector.sha256}`);
  return (size) => detectorCropper(detector, cropMargin, size);
}

/** What cuts the pictures of each video sensor of a graph. Empty where they come cut. */
export function graphCroppers(
  graph: FusionGraph,
  cropperOf: CropperOf | undefined,
): { readonly croppers?: ReadonlyMap<string, VideoCropper> } {
  if (cropperOf === undefined) return {};
  const croppers = new Map<string, VideoCropper>();
  for (const { spec } of graph.sensors) {
    if (spec.kind !== "video") continue;
    const { name, width, height } = spec;
    const cropper = cropperOf({ width, height });
    requireConvention(spec, cropper);
    croppers.set(name, cropper);
  }
  if (croppers.size > 0) return { croppers };
  throw usage(`--crop needs a model with a video sensor, ${graph.spec.name} has none`);
}

/** Before the run: each of its pictures would be refused. */
function requireConvention({ name, convention }: VideoSensorSpec, cropper: VideoCropper): void {
  if (convention === undefined || convention === cropper.convention) return;
  throw usage(`sensor ${name} of the model takes ${convention}, got ${cropper.convention}`);
}

function refuseUnless(
  isMeant: boolean,
  mode: string,
  options: Readonly<Record<string, unknown>>,
): void {
  const given = Object.keys(options).find((name) => options[name] !== undefined);
  if (!isMeant && given !== undefined) throw usage(`${given} goes with ${mode}`);
}

function usage(what: string): PolyphaseError {
  return new PolyphaseError("USAGE", `Cannot crop pictures: ${what}`);
}

function parseBox(text: string): PictureBox {
  const match = /^(\d{1,4}),(\d{1,4}),([1-9]\d{0,3}),([1-9]\d{0,3})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('must be x,y,w,h such as "123,176,71,71".');
  const [x, y, width, height] = match.slice(1).map(Number) as [number, number, number, number];
  return { x, y, width, height };
}

function sha256(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw new InvalidArgumentError("must be 64 hexadecimal digits.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("must be a number above 0.");
}
