import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { ChannelTable } from "./channel-table.ts";
import type { ClosedChunk } from "./chunk-encoder.ts";
import type { McapFileWriter } from "./mcap-file-writer.ts";
import {
  type CreateFile,
  createFile,
  endRecordingFile,
  startRecordingFile,
} from "./recording-files.ts";
import type { RecordingOutput, RunEnd } from "./recording-output.ts";

/** Bytes that may wait for the disk, before sources wait for it and at most. */
const queuedBytesFew = 8 * 1024 * 1024;
const queuedBytesMax = 64 * 1024 * 1024;

export interface FileOutputOptions {
  /** Path of part 1, 2, … */
  readonly path: (part: number) => string;
  /** Goes into every part. */
  readonly metadata: Readonly<Record<string, string>>;
  /** A part that has this many bytes, or this much event time, is the last but one. Default: never. */
  readonly rotateBytes?: number;
  readonly rotateUs?: number;
  readonly create?: CreateFile;
}

/** Chunks in files, one after the other; a new one begins only with a segment. */
export class FileOutput implements RecordingOutput {
  readonly #table: ChannelTable;
  readonly #options: FileOutputOptions;
  readonly #rotateBytes: number;
  readonly #rotateUs: number;
  #queue: Promise<void>;
  #synced: Promise<void> = Promise.resolve();
  #queuedBytes = 0;
  #failure: unknown;
  #writer: McapFileWriter | undefined;
  #part = 0;
  /** Of the part under way. */
  #bytes = 0;
  #startUs: TimeUs | undefined;

  constructor(table: ChannelTable, options: FileOutputOptions) {
    this.#table = table;
    this.#options = options;
    this.#rotateBytes = options.rotateBytes ?? Number.POSITIVE_INFINITY;
    this.#rotateUs = options.rotateUs ?? Number.POSITIVE_INFINITY;
    this.#queue = Promise.resolve();
    void this.#enqueue(() => this.#startPart());
  }

  get failure(): unknown {
    return this.#failure;
  }

  get busy(): Promise<void> | undefined {
    return this.#queuedBytes > queuedBytesFew ? this.#queue : undefined;
  }

  isFull(timeUs: TimeUs): boolean {
    this.#startUs ??= timeUs;
    return this.#bytes >= this.#rotateBytes || timeUs - this.#startUs >= this.#rotateUs;
  }

  beginSegment(timeUs: TimeUs): void {
    if (!this.isFull(timeUs)) return;
    this.#bytes = 0;
    this.#startUs = timeUs;
    const synced = this.#synced;
    void this.#enqueue(async () => {
      await synced;
      await endRecordingFile(this.#writer!, "goes on");
      await this.#startPart();
    });
  }

  append(chunk: ClosedChunk): void {
    const { byteLength } = chunk.bytes;
    this.#bytes += byteLength;
    this.#queuedBytes += byteLength;
    if (this.#queuedBytes > queuedBytesMax) {
      this.#failure ??= new PolyphaseError(
        "FAILED",
        `Cannot record: bytes waiting for the disk must be at most ${queuedBytesMax}, got ${this.#queuedBytes}`,
      );
    }
    void this.#enqueue(async () => {
      await this.#writer!.append(chunk);
      this.#queuedBytes -= byteLength;
    });
  }

  flush(): Promise<void> {
    const written = this.#enqueue(async () => undefined);
    // A slow disk must not keep back what a killed process would leave to the system.
    this.#synced = Promise.all([written, this.#synced]).then(() => this.#sync());
    return this.#synced;
  }

  async close(end: RunEnd): Promise<void> {
    await this.#synced;
    await this.#enqueue(() => endRecordingFile(this.#writer!, end));
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #sync(): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await this.#writer?.sync();
    } catch (cause) {
      this.#failure ??= failureOf(cause);
    }
  }

  async #startPart(): Promise<void> {
    this.#part++;
    this.#writer = await startRecordingFile(
      this.#options.path(this.#part),
      this.#options.create ?? createFile,
      this.#table,
      { ...this.#options.metadata, part: String(this.#part) },
    );
  }

  /** Runs `work` after everything before it; after a failure nothing runs any more. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await work();
      } catch (cause) {
        this.#failure ??= failureOf(cause);
      }
    });
    return this.#queue;
  }
}

function failureOf(cause: unknown): PolyphaseError {
  if (cause instanceof PolyphaseError) return cause;
  const what = cause instanceof Error ? cause.message : String(cause);
  return new PolyphaseError("FAILED", `Cannot record: ${what}`, { cause });
}
