import { convertIndexedToRgb, decode as decodePng, hasPngSignature } from "fast-png";
import { decode as decodeJpeg } from "jpeg-js";
import { PolyphaseError } from "../polyphase-error.ts";
import type { GreyPicture } from "./grey-picture.ts";
import { lumaInto, type PixelEncoding } from "./pixel-layout.ts";

/** Larger pictures are refused before memory is taken for them: 4096 × 4096. */
const pixelsMax = 2 ** 24;
/** Memory the JPEG decoder may take in all. */
const jpegMegabytesMax = 512;
/** PNG: eight bytes of signature, then the header chunk with width and height. */
const [pngWidthAt, pngSizeEnd] = [16, 24];

/**
 * Decodes a JPEG (baseline or progressive) or PNG (8 or 16 bits, any colour type) to grey; which of
 * them it is, the first bytes tell. A grey picture keeps its values exactly (JPEG: of its decoder).
 *
 * @throws PolyphaseError `BAD_EVENT` for other formats, broken pictures and those above 2^24 pixels.
 */
export function decodePicture(bytes: Uint8Array): GreyPicture {
  try {
    if (hasPngSignature(bytes)) return fromPng(bytes);
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return fromJpeg(bytes);
  } catch (error) {
    if (error instanceof PolyphaseError) throw error;
    throw refusal((error as Error).message, error);
  }
  const start = bytes.subarray(0, 4).join(" ");
  throw refusal(`first bytes must be those of JPEG (255 216) or PNG (137 80 78 71), got ${start}`);
}

function fromJpeg(bytes: Uint8Array): GreyPicture {
  const { width, height, data } = decodeJpeg(bytes, {
    useTArray: true,
    // Half a picture is no picture: what is missing would look like an event.
    tolerantDecoding: false,
    maxResolutionInMP: pixelsMax / 1e6,
    maxMemoryUsageInMB: jpegMegabytesMax,
  });
  return toGrey(width, height, data, "rgba8");
}

function fromPng(bytes: Uint8Array): GreyPicture {
  requirePngSize(bytes);
  const png = decodePng(bytes, { checkCrc: true });
  const { width, height, depth, channels, palette } = png;
  if (palette !== undefined) {
    const encoding = palette[0]?.length === 4 ? "rgba8" : "rgb8";
    return toGrey(width, height, convertIndexedToRgb(png), encoding);
  }
  if (depth < 8) throw refusal(`PNG must have 8 or 16 bits per sample, got ${depth}`);
  const samples = Uint8Array.from(png.data, (sample) => (depth === 16 ? sample >> 8 : sample));
  switch (channels) {
    case 1:
      return toGrey(width, height, samples, "mono8");
    case 2:
      return toGrey(width, height, samples.filter(isGreySample), "mono8");
    case 3:
      return toGrey(width, height, samples, "rgb8");
    default:
      return toGrey(width, height, samples, "rgba8");
  }
}

/** Of grey and opacity in turn, the grey. */
function isGreySample(_: number, index: number): boolean {
  return index % 2 === 0;
}

function requirePngSize(bytes: Uint8Array): void {
  if (bytes.length < pngSizeEnd) throw refusal("PNG must have a header, got its signature only");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = view.getUint32(pngWidthAt);
  const height = view.getUint32(pngWidthAt + 4);
  if (width * height > pixelsMax) {
    throw refusal(`PNG must have at most ${pixelsMax} pixels, got ${width} x ${height}`);
  }
}

function toGrey(
  width: number,
  height: number,
  data: Uint8Array,
  encoding: PixelEncoding,
): GreyPicture {
  const pixels = new Uint8Array(width * height);
  lumaInto(pixels, data, encoding);
  return { width, height, pixels };
}

function refusal(reason: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_EVENT", `Cannot decode picture: ${reason}`, { cause });
}
