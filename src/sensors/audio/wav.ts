import { PolyphaseError } from "../polyphase-error.ts";

/** One channel of 16-bit sound. */
export interface WavSound {
  readonly sampleRate: number;
  readonly samples: Int16Array;
}

const pcmFormat = 1;
const fmtBytesMin = 16;

/**
 * Reads a RIFF/WAVE file of 16-bit mono PCM. A `data` chunk that claims to be longer than the file
 * ends with it, since writers to a pipe (espeak-ng, ffmpeg) cannot know its length beforehand.
 *
 * @throws PolyphaseError `BAD_DATA` for anything else, with the byte offset.
 */
export function decodeWav(bytes: Uint8Array): WavSound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  requireWav(bytes.length >= 12 && tagAt(view, 0) === "RIFF", 0, "file", '"RIFF"', bytes.length);
  requireWav(tagAt(view, 8) === "WAVE", 8, "form", '"WAVE"', tagAt(view, 8));
  let sampleRate: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const tag = tagAt(view, at);
    const from = at + 8;
    const size = Math.min(view.getUint32(at + 4, true), bytes.length - from);
    if (tag === "fmt ") sampleRate = readFormat(view, from, size);
    if (tag === "data") {
      requireWav(sampleRate !== undefined, at, "first chunk", '"fmt "', '"data"');
      return { sampleRate: sampleRate!, samples: readSamples(view, from, size >> 1) };
    }
    at = from + size + (size % 2);
  }
  throw refusal(bytes.length, "chunks", 'include "data"', "none");
}

/** Checks that the format is 16-bit mono PCM; returns its sample rate. */
function readFormat(view: DataView, at: number, size: number): number {
  requireWav(size >= fmtBytesMin, at, "fmt size", `>= ${fmtBytesMin}`, size);
  const format = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const bits = view.getUint16(at + 14, true);
  requireWav(format === pcmFormat, at, "format", "1 (PCM)", format);
  requireWav(channels === 1, at + 2, "channels", "1", channels);
  requireWav(bits === 16, at + 14, "bits per sample", "16", bits);
  return view.getUint32(at + 4, true);
}

function readSamples(view: DataView, at: number, count: number): Int16Array {
  return Int16Array.from({ length: count }, (_, i) => view.getInt16(at + 2 * i, true));
}

function tagAt(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
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
