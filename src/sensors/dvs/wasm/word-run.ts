import type { ByteQueue } from "../codecs/stream/byte-queue.ts";
import { type EventClock, regularStepUsMax } from "../codecs/stream/event-clock.ts";
import { type PacketBuilder, packetEventsReady } from "../codecs/stream/packet-builder.ts";
import type { CodecExports } from "./codec-instance.ts";
import { type CodecModule, scratchInputBytes } from "./codec-module.ts";

/** Fields of assembly/dvs/word-run.ts, by 4-byte word. */
const word = {
  width: 5,
  height: 6,
  room: 7,
  count: 8,
  /** float64, like the next. */
  baseUs: 10,
  lastUs: 12,
  timeHigh: 14,
  timeHighStepMax: 15,
  timeLow: 16,
  camera: 17,
  row: 18,
  baseX: 19,
  baseOn: 20,
} as const;

/** Less than this is not worth the call. */
const windowBytesMin = 1024;

/** Where a decoder of EVT words stands; −1 is what no word has said yet. */
export interface WordState {
  timeHigh: number;
  /** Unwrapped time of `timeHigh`, µs. */
  baseUs: number;
}

/** The same for EVT 3.0. */
export interface RowState extends WordState {
  /** µs since `baseUs`. */
  timeLow: number;
  /** Which of two cameras in one stream is decoded. */
  camera: number;
  /** −1 as well where the last row does not count. */
  row: number;
  /** Where the next vector of pixels begins, and its polarity. */
  baseX: number;
  baseOn: number;
}

/** Runs of regular EVT words of one stream, decoded in WebAssembly. */
export class WordRun {
  readonly #module: CodecModule;
  readonly #decode: CodecExports["evt2"];
  readonly #timeHighUs: number;
  readonly #times: Float64Array;
  /** Bytes to take next: few where a run was short, since what follows it is copied for nothing. */
  #windowBytes = scratchInputBytes;

  /** @param timeHighUs one step of TIME_HIGH, µs */
  constructor(module: CodecModule, format: "evt2" | "evt3", timeHighUs: number) {
    this.#module = module;
    this.#decode = module.exports[format];
    this.#timeHighUs = timeHighUs;
    const { buffer, byteOffset, length } = module.record;
    this.#times = new Float64Array(buffer, byteOffset, length / 2);
  }

  /**
   * Decodes regular words until one is not, or too few wait to be worth it, or a packet is ready.
   *
   * @param state of the decoder; afterwards that behind the words decoded
   * @param clock has taken `state.timeHigh`
   */
  decode(
    state: WordState | RowState,
    clock: EventClock,
    bytes: ByteQueue,
    packets: PacketBuilder,
  ): void {
    if (bytes.length < windowBytesMin) return;
    const { timeHigh } = state;
    this.#writeState(state, clock, packets);
    for (let isRegular = true; isRegular; ) {
      const room = packetEventsReady - packets.count;
      const window = Math.min(bytes.length & ~3, this.#windowBytes);
      if (room <= 0 || window === 0) break;
      const used = this.#decodeWindow(bytes, window, room);
      packets.appendColumns(this.#module.columns, this.#module.record[word.count]!);
      isRegular = used === window;
      const worth = isRegular ? 2 * window : used;
      this.#windowBytes = Math.min(Math.max(windowBytesMin, worth), scratchInputBytes);
    }
    this.#readState(state, clock);
    if (state.timeHigh !== timeHigh) {
      state.baseUs = clock.advance(state.timeHigh * this.#timeHighUs);
    }
  }

  /** @returns bytes decoded */
  #decodeWindow(bytes: ByteQueue, window: number, room: number): number {
    const { input, record } = this.#module;
    record[word.room] = room;
    input.set(bytes.bytes.subarray(bytes.start, bytes.start + window));
    const from = input.byteOffset;
    const used = this.#decode(record.byteOffset, from, from + window) - from;
    bytes.consume(used);
    return used;
  }

  #writeState(
    state: WordState | RowState,
    clock: EventClock,
    { width, height }: PacketBuilder,
  ): void {
    const { record } = this.#module;
    const timeHighUs = this.#timeHighUs;
    // A reading that was taken for jitter leaves the clock where it was.
    const isLatest = state.timeHigh * timeHighUs === clock.latestRawUs;
    this.#times[word.baseUs / 2] = state.baseUs;
    this.#times[word.lastUs / 2] = clock.lastUs;
    record[word.width] = width;
    record[word.height] = height;
    record[word.timeHigh] = state.timeHigh;
    record[word.timeHighStepMax] = isLatest ? Math.floor(regularStepUsMax / timeHighUs) : 0;
    if (!("row" in state)) return;
    record[word.timeLow] = state.timeLow;
    record[word.camera] = state.camera;
    record[word.row] = state.row;
    record[word.baseX] = state.baseX;
    record[word.baseOn] = state.baseOn;
  }

  #readState(state: WordState | RowState, clock: EventClock): void {
    const { record } = this.#module;
    clock.lastUs = this.#times[word.lastUs / 2]!;
    state.timeHigh = record[word.timeHigh]!;
    if (!("row" in state)) return;
    state.timeLow = record[word.timeLow]!;
    state.row = record[word.row]!;
    state.baseX = record[word.baseX]!;
    state.baseOn = record[word.baseOn]!;
  }
}
