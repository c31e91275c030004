import { decompress } from "fzstd";
import { PolyphaseError } from "../../../polyphase-error.ts";

const magic = 0xfd2fb528;

/**
 * Decompresses one Zstandard frame (RFC 8878).
 *
 * @param bytesMax limit of the window and of the stated content size
 * @throws {PolyphaseError} BAD_DATA if it is no frame, is damaged or exceeds the limit
 */
export function decompressZstdFrame(frame: Uint8Array, bytesMax: number): Uint8Array {
  if (claimedBytes(frame) > bytesMax) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot decompress a Zstandard frame: it must begin with its magic and hold at most ${bytesMax} bytes`,
    );
  }
  try {
    return decompress(frame);
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(cause: unknown): PolyphaseError {
  return new PolyphaseError("BAD_DATA", "Cannot decompress a Zstandard frame: it is damaged", {
    cause,
  });
}

/** The larger of window and content size that the frame header states; infinite if it has none. */
function claimedBytes(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 14 || view.getUint32(0, true) !== magic) return Number.POSITIVE_INFINITY;
  const descriptor = frame[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const window = frame[5]!;
  const windowBytes = isSingleSegment ? 0 : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeAt = (isSingleSegment ? 5 : 6) + dictionaryBytes;
  return Math.max(windowBytes, contentBytes(view, sizeAt, descriptor >> 6, isSingleSegment));
}

function contentBytes(view: DataView, at: number, code: number, isSingleSegment: boolean): number {
  if (at + 8 > view.byteLength) return Number.POSITIVE_INFINITY;
  switch (code) {
    case 0:
      return isSingleSegment ? view.getUint8(at) : 0;
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}
