import { type FileHandle, open, rename, rm } from "node:fs/promises";
import zstd from "@foxglove/wasm-zstd";
import { ByteMemory } from "../../sensors/byte-memory.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { encodeItem } from "../../wire/item-codec.ts";
import { ChannelTable } from "./channel-table.ts";
import { ChunkEncoder, type ClosedChunk, compressNothing, compressZstd } from "./chunk-encoder.ts";
import { McapFileWriter } from "./mcap-file-writer.ts";
import { recordingMetadataName } from "./recording-channel.ts";

/** Bytes of messages per chunk: small enough to lose little and to seek fast, and packs as well. */
const chunkBytes = 128 * 1024;
/** Bytes that go to the file at once: what a call costs, beside its bytes, is as much as 300 kB. */
const blockBytes = 1024 * 1024;
/** Bytes that may wait for the disk; a caller that does not await `write` meets this limit. */
const queuedBytesMax = 64 * 1024 * 1024;

export interface RecordingOptions {
  /** What was recorded: data set, name, label, licence, … Written to the file as it is. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default `zstd`. */
  readonly compression?: "zstd" | "none";
}

/**
 * A recording being written. Calls may overlap and need not be awaited: items are written in the
 * order of the calls.
 */
export interface RecordingWriter {
  /**
   * Adds `item`, which arrived at `receivedUs`. Encodes at once, so the item's memory may be reused
   * when the call returns; the promise is kept when the file has taken all but the last 2 MiB.
   * Rejects with BAD_EVENT for an item that must not be recorded (it is left out, the recording
   * goes on), and with FAILED when the disk fails or too many bytes wait for it.
   */
  write(item: StreamItem, receivedUs: TimeUs): Promise<void>;
  /** Completes the file and gives it its name. Rejects, and leaves no file, if a write failed. */
  close(): Promise<void>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

/**
 * Starts a recording (MCAP). It is written to `<path>.partial` and renamed when it is complete, so
 * nothing half-written is ever found under `path`. Equal items make equal bytes.
 */
export async function createRecording(
  path: string,
  options: RecordingOptions = {},
): Promise<RecordingWriter> {
  const { metadata = {}, compression = "zstd" } = options;
  await zstd.isLoaded;
  const table = new ChannelTable();
  const file = new McapFileWriter(await openPartial(path), table, false);
  await file.start(recordingMetadataName, new Map(Object.entries(metadata)));
  const chunk = new ChunkEncoder(compression === "zstd" ? compressZstd : compressNothing);
  return new McapRecordingWriter(path, file, table, chunk);
}

async function openPartial(path: string): Promise<FileHandle> {
  try {
    return await open(`${path}.partial`, "w");
  } catch (error) {
    const message = `Cannot write recording ${path}: ${(error as Error).message}`;
    throw new PolyphaseError("FAILED", message, { cause: error });
  }
}

/** What most writes return: they wait for nothing. */
const done = Promise.resolve();

/** Who does not await a write still learns of a failure: from the next write and from close(). */
function unheard(written: Promise<void>): Promise<void> {
  written.catch(() => {});
  return written;
}

/** Items go into a chunk at once, so that only whole chunks wait for the disk. */
class McapRecordingWriter implements RecordingWriter {
  readonly #path: string;
  readonly #file: McapFileWriter;
  readonly #table: ChannelTable;
  readonly #chunk: ChunkEncoder;
  readonly #memory = new ByteMemory();
  #queue: Promise<void> = Promise.resolve();
  /** Chunks that go to the file together. */
  #block: ClosedChunk[] = [];
  #blockBytes = 0;
  #queuedBytes = 0;
  #failure: unknown;
  #closed = false;

  constructor(path: string, file: McapFileWriter, table: ChannelTable, chunk: ChunkEncoder) {
    this.#path = path;
    this.#file = file;
    this.#table = table;
    this.#chunk = chunk;
  }

  write(item: StreamItem, receivedUs: TimeUs): Promise<void> {
    try {
      this.#add(item, receivedUs);
    } catch (error) {
      return unheard(Promise.reject(error));
    }
    if (this.#chunk.byteLength <= chunkBytes) return done;
    this.#closeChunk();
    return this.#blockBytes < blockBytes ? done : unheard(this.#handOver());
  }

  #add(item: StreamItem, receivedUs: TimeUs): void {
    this.#checkWritable();
    if (!Number.isSafeInteger(receivedUs) || receivedUs < 0) {
      throw this.#refusal("BAD_EVENT", `receivedUs must be whole and >= 0, got ${receivedUs}`);
    }
    const data = encodeItem(item, this.#memory);
    const channelId = this.#table.ofItem(item);
    this.#chunk.describe(channelId, this.#table);
    this.#chunk.add({
      channelId,
      sequence: item.seq % 2 ** 32,
      logTime: BigInt(receivedUs) * 1000n,
      publishTime: BigInt(item.timeUs) * 1000n,
      data,
    });
  }

  /** Has the file take the block, and waits for the one before: the next is made meanwhile. */
  async #handOver(): Promise<void> {
    const before = this.#queue;
    void this.#appendBlock();
    await before;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #checkWritable(): void {
    if (this.#closed) throw new TypeError(`Cannot write to ${this.#path}: it is closed`);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#queuedBytes > queuedBytesMax) {
      this.#failure = this.#refusal(
        "FAILED",
        `bytes waiting for the disk must be at most ${queuedBytesMax}, got ${this.#queuedBytes}`,
      );
      throw this.#failure;
    }
  }

  #refusal(code: "BAD_EVENT" | "FAILED", reason: string): PolyphaseError {
    return new PolyphaseError(code, `Cannot write ${this.#path}: ${reason}`);
  }

  /** Adds the chunk under way, if there is one, to the block. */
  #closeChunk(): void {
    const chunk = this.#chunk.close();
    if (chunk === undefined) return;
    const { byteLength } = chunk.bytes;
    this.#block.push(chunk);
    this.#blockBytes += byteLength;
    this.#queuedBytes += byteLength;
  }

  /** Hands the block to the file. */
  #appendBlock(): Promise<void> {
    const chunks = this.#block;
    const bytes = this.#blockBytes;
    this.#block = [];
    this.#blockBytes = 0;
    return this.#serially(async () => {
      await this.#file.append(...chunks);
      this.#queuedBytes -= bytes;
      for (const chunk of chunks) this.#chunk.reuse(chunk);
    });
  }

  /** Runs `work` after everything queued before it; after a failure nothing runs any more. */
  #serially(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      await work();
    });
    this.#queue = done.catch((cause: unknown) => {
      this.#failure ??= cause;
    });
    return done;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#closeChunk();
      await this.#appendBlock();
      await this.#serially(() => this.#file.end());
    } catch (failure) {
      await this.#discard();
      throw failure;
    }
    await this.#file.close();
    await rename(`${this.#path}.partial`, this.#path);
  }

  async abort(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue;
    await this.#discard();
  }

  async #discard(): Promise<void> {
    await this.#file.close();
    await rm(`${this.#path}.partial`, { force: true });
  }
}
