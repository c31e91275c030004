import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { type IdxArray, readIdx } from "../../wire/datasets/idx.ts";

/** Images of 28 × 28 grey values and their classes. */
export interface MnistImages {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

const side = 28;

/**
 * One part of MNIST from its IDX files, gzipped or not.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND or BAD_DATA naming the file
 */
export async function readMnistImages(
  directory: string,
  part: "train" | "t10k",
): Promise<MnistImages> {
  const images = await readPart(join(directory, `${part}-images-idx3-ubyte`));
  const labels = await readPart(join(directory, `${part}-labels-idx1-ubyte`));
  const [count, height, width] = images.dimensions;
  if (images.dimensions.length !== 3 || height !== side || width !== side) {
    throw refusal(directory, `images of ${side} × ${side}`, images);
  }
  if (labels.dimensions.length !== 1 || labels.dimensions[0] !== count) {
    throw refusal(directory, `as many classes as its ${count} images`, labels);
  }
  return { count: count!, images: images.bytes, labels: labels.bytes };
}

/** Grey values of one image, a view. */
export function imageView({ images }: MnistImages, index: number): Uint8Array {
  return images.subarray(index * side * side, (index + 1) * side * side);
}

async function readPart(path: string): Promise<IdxArray> {
  const packed = `${path}.gz`;
  const isPacked = existsSync(packed);
  try {
    const bytes = await readFile(isPacked ? packed : path);
    return readIdx(isPacked ? gunzipSync(bytes) : bytes);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof PolyphaseError ? cause.code : "FILE_NOT_FOUND";
    throw new PolyphaseError(code, `Cannot read MNIST: ${isPacked ? packed : path}: ${what}`, {
      cause,
    });
  }
}

function refusal(directory: string, expected: string, { dimensions }: IdxArray): PolyphaseError {
  return new PolyphaseError(
    "BAD_DATA",
    `Cannot read MNIST: ${directory} must hold ${expected}, got ${dimensions.join(" x ")}`,
  );
}
