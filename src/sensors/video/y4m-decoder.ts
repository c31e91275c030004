import { PolyphaseError } from "../polyphase-error.ts";
import type { GreyPicture } from "./grey-picture.ts";

const lineBytesMax = 256;
const sideMax = 8192;
const newline = 10;

/** What the header of the film says. */
interface Film {
  readonly width: number;
  readonly height: number;
  /** Pictures per second. */
  readonly rate: number;
}

/**
 * Takes a film of grey pictures apart that comes in pieces: YUV4MPEG2 with `Cmono`, a line of text,
 * then for each picture a line `FRAME` and its pixels row by row (mjpegtools, yuv4mpeg(5)). Holds one
 * picture at a time.
 */
export class Y4mDecoder {
  readonly #onPicture: (picture: GreyPicture, film: Film) => void;
  #film: Film | undefined;
  #line: number[] = [];
  #pixels: Uint8Array | undefined;
  #filled = 0;

  /** @param onPicture Called for each picture, in order; owns it. */
  constructor(onPicture: (picture: GreyPicture, film: Film) => void) {
    this.#onPicture = onPicture;
  }

  /** Takes in the next bytes. Throws BAD_DATA for anything but a grey film. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      at = this.#pixels === undefined ? this.#readLine(bytes, at) : this.#readPixels(bytes, at);
    }
  }

  /** Says that no more bytes come. Throws BAD_DATA when the film breaks off. */
  end(): void {
    if (this.#film === undefined) throw refusal("header", "there", "nothing");
    if (this.#pixels !== undefined || this.#line.length > 0) {
      throw refusal("last picture", "whole", `${this.#filled} bytes of it`);
    }
  }

  #readLine(bytes: Uint8Array, from: number): number {
    const found = bytes.indexOf(newline, from);
    const end = found < 0 ? bytes.length : found;
    if (this.#line.length + end - from > lineBytesMax) {
      throw refusal("line", `at most ${lineBytesMax} bytes`, "a longer one");
    }
    for (let at = from; at < end; at += 1) this.#line.push(bytes[at]!);
    if (found < 0) return end;
    const line = String.fromCharCode(...this.#line);
    this.#line = [];
    if (this.#film === undefined) this.#film = parseHeader(line);
    else if (/^FRAME( |$)/.test(line)) this.#startPicture(this.#film);
    else throw refusal("line before a picture", '"FRAME"', JSON.stringify(line));
    return end + 1;
  }

  #startPicture({ width, height }: Film): void {
    this.#pixels = new Uint8Array(width * height);
    this.#filled = 0;
  }

  #readPixels(bytes: Uint8Array, from: number): number {
    const pixels = this.#pixels!;
    const film = this.#film!;
    const end = Math.min(bytes.length, from + pixels.length - this.#filled);
    pixels.set(bytes.subarray(from, end), this.#filled);
    this.#filled += end - from;
    if (this.#filled === pixels.length) {
      this.#pixels = undefined;
      this.#onPicture({ width: film.width, height: film.height, pixels }, film);
    }
    return end;
  }
}

/** Fields after the name start with a letter each, in any order. */
function parseHeader(line: string): Film {
  const [name, ...fields] = line.split(" ");
  if (name !== "YUV4MPEG2") throw refusal("header", "YUV4MPEG2", JSON.stringify(line));
  const field = (letter: string): string =>
    fields.find((candidate) => candidate.startsWith(letter))?.slice(1) ?? "nothing";
  if (field("C") !== "mono") throw refusal("colours", "mono", field("C"));
  const rate = /^([1-9]\d{0,8}):([1-9]\d{0,8})$/.exec(field("F"));
  if (rate === null) throw refusal("rate", "pictures:seconds", field("F"));
  const side = (letter: string): number => {
    const value = field(letter);
    if (/^[1-9]\d{0,3}$/.test(value) && Number(value) <= sideMax) return Number(value);
    throw refusal(letter === "W" ? "width" : "height", `1 to ${sideMax}`, value);
  };
  return { width: side("W"), height: side("H"), rate: Number(rate[1]) / Number(rate[2]) };
}

function refusal(field: string, expected: string, actual: string): PolyphaseError {
  const message = `Cannot read YUV4MPEG2 film: ${field} must be ${expected}, got ${actual}`;
  return new PolyphaseError("BAD_DATA", message);
}
