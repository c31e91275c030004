import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { GreyPicture } from "../../sensors/video/grey-picture.ts";
import type { PictureBox } from "../../sensors/video/picture-box.ts";
import { fixedCropper, type VideoCropper } from "../../sensors/video/video-cropper.ts";
import { Y4mDecoder } from "../../sensors/video/y4m-decoder.ts";
import { parseGridAlign } from "../../wire/datasets/grid-align.ts";
import { gridFrameSize, gridSampleRate } from "../../wire/datasets/grid-s1.ts";
import { decodeWithFfmpeg } from "./ffmpeg.ts";
import type { GridClip } from "./grid-clips.ts";
import { type GridFrame, gridItems, gridMetadata, spokenWords } from "./grid-recording.ts";
import type { ImportCrop, ImportedRecording, ImportOptions } from "./importer.ts";
import { readSource } from "./source-files.ts";

/** The pictures that `gridMouthBox` is meant for. */
const clipWidth = 360;
const clipHeight = 288;
const framesPerSecond = 25;
/** Clips of the corpus have 3 s. */
const clipSecondsMax = 600;

/** Where the mouth is in GRID's 360x288 pictures: the median over 900 sentences of speaker s1. */
export const gridMouthBox: PictureBox = { x: 123, y: 176, width: 71, height: 71 };

/** Sentences of the original layout; each clip is decoded when its recording is written. */
export async function* originalGridRecordings(
  clips: readonly GridClip[],
  options: ImportOptions,
): AsyncGenerator<ImportedRecording, void, void> {
  for (const clip of clips) {
    const { name, speaker, align } = clip;
    const text = new TextDecoder().decode(await readSource(align));
    const words = spokenWords(parseGridAlign(text, align));
    yield {
      name,
      metadata: {
        ...gridMetadata(name, speaker, words),
        clipStartMs: "0",
        timeOrigin: "start of the clip",
      },
      items: async () => {
        const cropper = cropperOf(options.crop);
        const frames = await decodeFrames(clip.video, cropper, options);
        const sound = await decodeSound(clip.sound ?? clip.video, options.stop);
        return gridItems(name, { frames, convention: cropper.convention, sound, words });
      },
    };
  }
}

function cropperOf(crop: ImportCrop | undefined): VideoCropper {
  const size = { width: gridFrameSize, height: gridFrameSize };
  if (crop?.mode === "detector") return crop.cropperOf(size);
  return fixedCropper(crop?.box ?? gridMouthBox, size);
}

/** The mouth crops. */
async function decodeFrames(
  path: string,
  cropper: VideoCropper,
  { crop, onNoFace, stop }: ImportOptions,
): Promise<GridFrame[]> {
  const frames: GridFrame[] = [];
  const pictures: GreyPicture[] = [];
  let index = 0;
  const film = new Y4mDecoder((picture, { rate }) => {
    requireClip(path, "frame rate", `${framesPerSecond}`, rate, rate === framesPerSecond);
    requireShort(path, (index + pictures.length) / framesPerSecond);
    if (crop?.mode !== "detector") requireMouth(path, picture, crop?.box);
    pictures.push(picture);
  });
  await decodeWithFfmpeg(path, {
    output: ["-map", "0:v:0", "-pix_fmt", "gray", "-f", "yuv4mpegpipe"],
    onBytes: async (bytes) => {
      film.push(bytes);
      for (const picture of pictures.splice(0)) {
        const mouth = await cropper.crop(picture);
        if (mouth === undefined) onNoFace?.();
        else frames.push({ index, pixels: mouth.pixels });
        index++;
      }
    },
    stop,
  });
  film.end();
  return frames;
}

function requireMouth(path: string, picture: GreyPicture, box: PictureBox | undefined): void {
  const { width, height } = picture;
  const known = box !== undefined || (width === clipWidth && height === clipHeight);
  const expected = `${clipWidth}x${clipHeight} unless --box says where the mouth is`;
  requireClip(path, "picture", expected, `${width}x${height}`, known);
  const { x, y, width: across, height: down } = box ?? gridMouthBox;
  const inside = x + across <= width && y + down <= height;
  const corner = `at least ${x + across}x${y + down} for --box`;
  requireClip(path, "picture", corner, `${width}x${height}`, inside);
}

/** 16 kHz, all channels as one. */
async function decodeSound(path: string, stop: AbortSignal | undefined): Promise<Int16Array> {
  const pieces: Uint8Array[] = [];
  let bytesSoFar = 0;
  await decodeWithFfmpeg(path, {
    output: ["-map", "0:a:0", "-ac", "1", "-ar", `${gridSampleRate}`, "-f", "s16le"],
    onBytes: (bytes) => {
      bytesSoFar += bytes.length;
      requireShort(path, bytesSoFar / 2 / gridSampleRate);
      pieces.push(bytes);
    },
    stop,
  });
  const bytes = Buffer.concat(pieces);
  return Int16Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i));
}

function requireShort(path: string, seconds: number): void {
  const expected = `at most ${clipSecondsMax} s long`;
  requireClip(path, "clip", expected, "a longer one", seconds <= clipSecondsMax);
}

function requireClip(
  path: string,
  field: string,
  expected: string,
  actual: string | number,
  ok: boolean,
): void {
  if (ok) return;
  const message = `Cannot import grid: ${path}: ${field} must be ${expected}, got ${actual}`;
  throw new PolyphaseError("BAD_DATA", message);
}
