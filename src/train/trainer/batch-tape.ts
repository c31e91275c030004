import type { TimeUs } from "../../sensors/time.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import type { BatchSink } from "../network/trainable-network.ts";

/** Numbers of a tape that threads share. */
export interface TapeContents {
  readonly numbers: Float64Array;
  /** Where each sequence begins; behind the last, where it ends. */
  readonly starts: readonly number[];
}

/** What of a tape is played: some of its sequences, and of those what lies in a window of time. */
export interface TapeRange {
  readonly from: number;
  readonly to: number;
  readonly window: { readonly fromUs: TimeUs; readonly toUs: TimeUs } | undefined;
}

const kind = { event: 1, pixel: 2, item: 3, read: 4, endSequence: 5, endRecording: 6 } as const;
const firstLength = 4096;

/** A batch written down, to be shown in parts: window by window, or to several threads. */
export class BatchTape implements BatchSink {
  readonly #eventsMax: number;
  #numbers: Float64Array = sharedNumbers(firstLength);
  #length = 0;
  #starts: number[] = [0];
  #events = 0;

  /** @param eventsMax most events that a batch may hold */
  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  get contents(): TapeContents {
    return { numbers: this.#numbers, starts: this.#starts };
  }

  get sequences(): number {
    return this.#starts.length - 1;
  }

  /** Forgets the batch. Contents handed out are no longer those of a batch. */
  clear(): void {
    this.#length = 0;
    this.#events = 0;
    this.#starts = [0];
  }

  hasRoom(): boolean {
    return this.#events < this.#eventsMax;
  }

  event(timeUs: TimeUs, first: number, second: number): void {
    this.#events += 1;
    this.#write(kind.event, timeUs, first, second);
  }

  pixel(timeUs: TimeUs, address: number, on: number): void {
    this.#events += 1;
    this.#write(kind.pixel, timeUs, address, on);
  }

  item(sensor: number, timeUs: TimeUs, values: ArrayLike<number>): void {
    this.#events += 1;
    this.#write(kind.item, timeUs, sensor, values.length);
    this.#reserve(values.length);
    this.#numbers.set(values, this.#length);
    this.#length += values.length;
  }

  read(target: number): void {
    this.#write(kind.read, target, 0, 0);
  }

  endSequence(target: number, readShare: number): void {
    this.#write(kind.endSequence, target, readShare, 0);
    this.#starts.push(this.#length);
  }

  endRecording(): void {
    this.#write(kind.endRecording, 0, 0, 0);
    this.#starts.push(this.#length);
  }

  #write(code: number, a: number, b: number, c: number): void {
    this.#reserve(4);
    const numbers = this.#numbers;
    numbers[this.#length] = code;
    numbers[this.#length + 1] = a;
    numbers[this.#length + 2] = b;
    numbers[this.#length + 3] = c;
    this.#length += 4;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#numbers.length) return;
    const larger = sharedNumbers(2 * (this.#length + count));
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}

function sharedNumbers(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * length));
}

/** Writes a part of a tape to a network. An answer belongs to the window of the event before it. */
export function playTape(
  { numbers, starts }: TapeContents,
  { from, to, window }: TapeRange,
  writer: SequenceWriter,
): void {
  const { fromUs, toUs } = window ?? everything;
  for (let b = from; b < to; b++) {
    let isInside = fromUs <= 0;
    for (let at = starts[b]!; at < starts[b + 1]!; ) {
      const code = numbers[at]!;
      const time = numbers[at + 1]!;
      if (code <= kind.item) isInside = time >= fromUs && time < toUs;
      const isPlayed = isInside || code >= kind.endSequence;
      const length = code === kind.item ? 4 + numbers[at + 3]! : 4;
      if (isPlayed) playEntry(numbers, at, writer);
      at += length;
    }
  }
}

const everything = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };

function playEntry(numbers: Float64Array, at: number, writer: SequenceWriter): void {
  const a = numbers[at + 1]!;
  const b = numbers[at + 2]!;
  const c = numbers[at + 3]!;
  switch (numbers[at]) {
    case kind.event:
      writer.event(a, b, c);
      break;
    case kind.pixel:
      writer.pixel(a, b, c);
      break;
    case kind.item:
      writer.item(b, a, numbers.subarray(at + 4, at + 4 + c));
      break;
    case kind.read:
      writer.read(a);
      break;
    case kind.endSequence:
      writer.endSequence(a, b);
      break;
    default:
      writer.endRecording();
  }
}
