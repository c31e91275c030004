import { badData } from "./bad-data.ts";

/** An array of bytes with its dimensions, outermost first. */
export interface IdxArray {
  readonly dimensions: readonly number[];
  /** A view on the file's memory. */
  readonly bytes: Uint8Array;
}

const unsignedByte = 0x08;

/**
 * Reads the IDX format of MNIST: two zero bytes, type, number of dimensions, big-endian sizes, data.
 * Throws BAD_DATA for another element type than unsigned byte and for another length than the
 * dimensions ask for.
 */
export function readIdx(file: Uint8Array): IdxArray {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 4 || view.getUint16(0) !== 0 || file[2] !== unsignedByte) {
    const start = file.subarray(0, 3).join(" ");
    throw badData("IDX file", "start", "0 0 8 (unsigned bytes)", start);
  }
  const rank = file[3]!;
  const start = 4 + 4 * rank;
  if (file.length < start) throw badData("IDX file", "header", `${start} bytes`, file.length);
  const dimensions = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (file.length - start !== size) {
    const expected = `${dimensions.join(" x ")} bytes`;
    throw badData("IDX file", "data", expected, file.length - start);
  }
  return { dimensions, bytes: file.subarray(start) };
}
