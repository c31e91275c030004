import { PolyphaseError } from "../polyphase-error.ts";
import type { AudioSamples } from "./mfcc-stream.ts";

/** One channel of sound. */
export interface WavSound {
  readonly sampleRate: number;
  /** int16 as the file has them, if it has one channel of them; else full scale is ±1. */
  readonly samples: AudioSamples;
}

/** How one number of a file is read: full scale is ±1, and 16 bits are exact in float32. */
interface SampleFormat {
  readonly bytes: number;
  read(view: DataView, at: number): number;
}

const pcmFormat = 1;
const floatFormat = 3;
/** The format stands behind the usual fields then, as the first bytes of a GUID. */
const extensibleFormat = 0xfffe;
const int16: SampleFormat = { bytes: 2, read: (view, at) => view.getInt16(at, true) / 2 ** 15 };
const sampleFormats: ReadonlyMap<string, SampleFormat> = new Map([
  [`${pcmFormat} 8`, { bytes: 1, read: (view, at) => (view.getUint8(at) - 2 ** 7) / 2 ** 7 }],
  [`${pcmFormat} 16`, int16],
  [`${pcmFormat} 24`, { bytes: 3, read: readInt24 }],
  [`${pcmFormat} 32`, { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2 ** 31 }],
  [`${floatFormat} 32`, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [`${floatFormat} 64`, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
]);
const fmtBytesMin = 16;
const extensibleFmtBytesMin = 40;
const channelsMax = 64;

/**
 * Reads a RIFF/WAVE file of PCM (8, 16, 24 or 32 bits) or floats (32 or 64). Several channels become
 * one, their mean. A `data` chunk that claims to be longer than the file ends with it, since writers to
 * a pipe (espeak-ng, ffmpeg) cannot know its length beforehand.
 *
 * @throws PolyphaseError `BAD_DATA` for anything else, with the byte offset.
 */
export function decodeWav(bytes: Uint8Array): WavSound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  requireWav(tagAt(view, 0) === "RIFF", 0, "file", '"RIFF"', JSON.stringify(tagAt(view, 0)));
  requireWav(tagAt(view, 8) === "WAVE", 8, "form", '"WAVE"', JSON.stringify(tagAt(view, 8)));
  let format: WavFormat | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const tag = tagAt(view, at);
    const from = at + 8;
    const size = Math.min(view.getUint32(at + 4, true), bytes.length - from);
    if (tag === "fmt ") format = readFormat(view, from, size);
    if (tag === "data") {
      if (format === undefined) throw refusal(at, "first chunk", 'be "fmt "', '"data"');
      return { sampleRate: format.sampleRate, samples: readSamples(view, from, size, format) };
    }
    at = from + size + (size % 2);
  }
  throw refusal(bytes.length, "chunks", 'include "data"', "none");
}

interface WavFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly sample: SampleFormat;
}

function readFormat(view: DataView, at: number, size: number): WavFormat {
  requireWav(size >= fmtBytesMin, at, "fmt size", `>= ${fmtBytesMin}`, size);
  const isExtensible = view.getUint16(at, true) === extensibleFormat;
  if (isExtensible) {
    requireWav(size >= extensibleFmtBytesMin, at, "fmt size", `>= ${extensibleFmtBytesMin}`, size);
  }
  const formatAt = isExtensible ? at + 24 : at;
  const format = view.getUint16(formatAt, true);
  const channels = view.getUint16(at + 2, true);
  const bits = view.getUint16(at + 14, true);
  const sample = sampleFormats.get(`${format} ${bits}`);
  if (sample === undefined) {
    const expected = "be PCM (1) of 8, 16, 24 or 32 bits or floats (3) of 32 or 64";
    throw refusal(formatAt, "format", expected, `${format} of ${bits} bits`);
  }
  requireWav(
    channels >= 1 && channels <= channelsMax,
    at + 2,
    "channels",
    `1 to ${channelsMax}`,
    channels,
  );
  return { sampleRate: view.getUint32(at + 4, true), channels, sample };
}

function readSamples(
  view: DataView,
  at: number,
  size: number,
  { channels, sample }: WavFormat,
): AudioSamples {
  const frameBytes = channels * sample.bytes;
  const length = Math.floor(size / frameBytes);
  if (channels === 1 && sample === int16) {
    return Int16Array.from({ length }, (_, i) => view.getInt16(at + 2 * i, true));
  }
  return Float32Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += sample.read(view, at + i * frameBytes + channel * sample.bytes);
    }
    return sum / channels;
  });
}

function readInt24(view: DataView, at: number): number {
  return ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23;
}

/** The four characters at a place; fewer where the file ends. */
function tagAt(view: DataView, at: number): string {
  const length = Math.max(0, Math.min(4, view.byteLength - at));
  return String.fromCharCode(...Array.from({ length }, (_, i) => view.getUint8(at + i)));
}

function requireWav(ok: boolean, at: number, field: string, expected: string, got: unknown): void {
  if (!ok) throw refusal(at, field, `be ${expected}`, got);
}

function refusal(at: number, field: string, expected: string, got: unknown): PolyphaseError {
  return new PolyphaseError(
    "BAD_DATA",
    `Cannot read WAV sound: ${field} at byte ${at} must ${expected}, got ${got}`,
  );
}
