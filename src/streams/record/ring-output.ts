import type { TimeUs } from "../../sensors/time.ts";
import type { ChannelTable } from "./channel-table.ts";
import type { ClosedChunk } from "./chunk-encoder.ts";
import {
  type CreateFile,
  createFile,
  endRecordingFile,
  startRecordingFile,
} from "./recording-files.ts";
import type { RecordingOutput } from "./recording-output.ts";

export interface RingOutputOptions {
  /** Event time that is kept at least. */
  readonly keepUs: number;
  /** Memory; where it is not enough, less time is kept. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Path of dump 1, 2, … */
  readonly path: (dump: number) => string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly create?: CreateFile;
}

interface Segment {
  readonly startUs: TimeUs;
  readonly chunks: ClosedChunk[];
  bytes: number;
}

const defaultBytesMax = 256 * 1024 * 1024;
/** The memory is cut into this many segments, so that a full one frees no more than that part. */
const segmentsPerRing = 4;

/** The last chunks in memory, written to a file when somebody asks for it. */
export class RingOutput implements RecordingOutput {
  readonly failure = undefined;
  readonly busy = undefined;
  readonly #table: ChannelTable;
  readonly #options: RingOutputOptions;
  readonly #bytesMax: number;
  readonly #segments: Segment[] = [{ startUs: Number.NEGATIVE_INFINITY, chunks: [], bytes: 0 }];
  #bytes = 0;
  #dumps = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(table: ChannelTable, options: RingOutputOptions) {
    this.#table = table;
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? defaultBytesMax;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  isFull(timeUs: TimeUs): boolean {
    const { startUs, bytes } = this.#segments.at(-1)!;
    return bytes >= this.#bytesMax / segmentsPerRing || timeUs - startUs >= this.#options.keepUs;
  }

  beginSegment(timeUs: TimeUs): void {
    this.#segments.push({ startUs: timeUs, chunks: [], bytes: 0 });
    const keptUs = timeUs - this.#options.keepUs;
    while (
      this.#segments.length > 1 &&
      (this.#segments[1]!.startUs <= keptUs || this.#bytes > this.#bytesMax)
    ) {
      this.#bytes -= this.#segments.shift()!.bytes;
    }
  }

  append(chunk: ClosedChunk): void {
    const segment = this.#segments.at(-1)!;
    segment.chunks.push(chunk);
    segment.bytes += chunk.bytes.byteLength;
    this.#bytes += chunk.bytes.byteLength;
  }

  /** Writes what is kept now. @returns the file's path */
  dump(): Promise<string> {
    const chunks = this.#segments.flatMap((segment) => segment.chunks);
    const path = this.#options.path(++this.#dumps);
    const metadata = { ...this.#options.metadata, part: "1", dump: String(this.#dumps) };
    const written = this.#queue.then(async () => {
      const create = this.#options.create ?? createFile;
      const writer = await startRecordingFile(path, create, this.#table, metadata);
      for (const chunk of chunks) await writer.append(chunk);
      await endRecordingFile(writer, "goes on");
      return path;
    });
    this.#queue = written.catch(() => undefined);
    return written;
  }

  async flush(): Promise<void> {
    // Memory is all there is until somebody asks for a file.
  }

  async close(): Promise<void> {
    await this.#queue;
  }
}
