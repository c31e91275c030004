import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** Images of 28 × 28 grey values and their classes. */
export interface MnistImages {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

const imageBytes = 28 * 28;
const imagesMagic = 2051;
const labelsMagic = 2049;

/**
 * One part of MNIST from its gzipped IDX files.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND or BAD_DATA naming the file
 */
export async function readMnistImages(
  directory: string,
  part: "train" | "t10k",
): Promise<MnistImages> {
  const images = await readIdx(join(directory, `${part}-images-idx3-ubyte.gz`), imagesMagic, 16);
  const labels = await readIdx(join(directory, `${part}-labels-idx1-ubyte.gz`), labelsMagic, 8);
  const count = labels.length;
  if (images.length !== count * imageBytes) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read MNIST: ${directory} must hold as many images as classes, got ${images.length / imageBytes} and ${count}`,
    );
  }
  return { count, images, labels };
}

/** Grey values of one image, a view. */
export function imageView({ images }: MnistImages, index: number): Uint8Array {
  return images.subarray(index * imageBytes, (index + 1) * imageBytes);
}

async function readIdx(path: string, magic: number, headerBytes: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = gunzipSync(await readFile(path));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError("FILE_NOT_FOUND", `Cannot read MNIST: ${path}: ${what}`, { cause });
  }
  const found = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (found !== magic) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read MNIST: ${path} must begin with ${magic}, got ${found}`,
    );
  }
  return bytes.subarray(headerBytes);
}
