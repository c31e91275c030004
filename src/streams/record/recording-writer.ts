import { type FileHandle, open, rename, rm } from "node:fs/promises";
import zstd from "@foxglove/wasm-zstd";
import { McapWriter } from "@mcap/core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { encodeItem, itemSchema } from "../../wire/item-codec.ts";
import {
  channelMetadata,
  channelName,
  channelOf,
  type RecordingChannel,
  recordingMetadataName,
  shapeMismatch,
} from "./recording-channel.ts";
import { WholeFileWritable } from "./whole-file-writable.ts";

/** Bytes of messages per chunk: small enough to lose little and to seek fast, and packs as well. */
const chunkBytes = 128 * 1024;
/** Bytes that may wait for the disk; a caller that does not await `write` meets this limit. */
const queuedBytesMax = 64 * 1024 * 1024;
/** zstd-1 packs sensor data within 5 % of zstd-3 at twice its speed. */
const zstdLevel = 1;

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
   * when the call returns; the promise is kept when the bytes have been handed to the file.
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
  const file = await openPartial(path);
  const writer = new McapWriter({
    writable: new WholeFileWritable(file),
    chunkSize: chunkBytes,
    ...(compression === "zstd" ? { compressChunk } : {}),
  });
  await writer.start({ profile: "polyphase", library: "polyphase" });
  await writer.addMetadata({
    name: recordingMetadataName,
    metadata: new Map(Object.entries(metadata)),
  });
  return new McapRecordingWriter(path, file, writer);
}

async function openPartial(path: string): Promise<FileHandle> {
  try {
    return await open(`${path}.partial`, "w");
  } catch (error) {
    const message = `Cannot write recording ${path}: ${(error as Error).message}`;
    throw new PolyphaseError("FAILED", message, { cause: error });
  }
}

function compressChunk(chunk: Uint8Array): { compression: string; compressedData: Uint8Array } {
  return { compression: "zstd", compressedData: zstd.compress(chunk, zstdLevel) };
}

/** `McapWriter` corrupts the file when two calls overlap, so every call waits for the one before. */
class McapRecordingWriter implements RecordingWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #writer: McapWriter;
  /** By stream, then sensor. */
  readonly #channels = new Map<string, Map<string, RecordingChannel>>();
  readonly #channelIds = new Map<RecordingChannel, number>();
  readonly #schemaIds = new Map<string, number>();
  #queue: Promise<void> = Promise.resolve();
  #queuedBytes = 0;
  #failure: unknown;
  #closed = false;

  constructor(path: string, file: FileHandle, writer: McapWriter) {
    this.#path = path;
    this.#file = file;
    this.#writer = writer;
  }

  write(item: StreamItem, receivedUs: TimeUs): Promise<void> {
    const written = this.#enqueue(item, receivedUs);
    // Who does not await still learns of a failure: from the next write and from close().
    written.catch(() => {});
    return written;
  }

  async #enqueue(item: StreamItem, receivedUs: TimeUs): Promise<void> {
    this.#checkWritable();
    if (!Number.isSafeInteger(receivedUs) || receivedUs < 0) {
      throw this.#refusal("BAD_EVENT", `receivedUs must be whole and >= 0, got ${receivedUs}`);
    }
    const data = encodeItem(item);
    const channel = this.#channelFor(item);
    this.#queuedBytes += data.byteLength;
    await this.#serially(async () => {
      this.#queuedBytes -= data.byteLength;
      await this.#writer.addMessage({
        channelId: this.#channelIds.get(channel) ?? (await this.#register(channel)),
        sequence: item.seq % 2 ** 32,
        logTime: BigInt(receivedUs) * 1000n,
        publishTime: BigInt(item.timeUs) * 1000n,
        data,
      });
    });
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

  /** The channel of items like this one; all of them must have the shape of the first. */
  #channelFor(item: StreamItem): RecordingChannel {
    let sensors = this.#channels.get(item.stream);
    if (sensors === undefined) {
      sensors = new Map();
      this.#channels.set(item.stream, sensors);
    }
    const name = channelName(item);
    const known = sensors.get(name);
    if (known === undefined) {
      const channel = channelOf(item);
      sensors.set(name, channel);
      return channel;
    }
    const mismatch = shapeMismatch(known, item);
    if (mismatch !== undefined) throw this.#refusal("BAD_EVENT", `${known.topic}: ${mismatch}`);
    return known;
  }

  async #register(channel: RecordingChannel): Promise<number> {
    const schema = itemSchema(channel.kind);
    let schemaId = this.#schemaIds.get(schema.name);
    if (schemaId === undefined) {
      schemaId = await this.#writer.registerSchema({
        name: schema.name,
        encoding: schema.schemaEncoding,
        data: schema.data(),
      });
      this.#schemaIds.set(schema.name, schemaId);
    }
    const id = await this.#writer.registerChannel({
      schemaId,
      topic: channel.topic,
      messageEncoding: schema.encoding,
      metadata: channelMetadata(channel),
    });
    this.#channelIds.set(channel, id);
    return id;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#serially(async () => {
        await this.#writer.end();
        await this.#file.datasync();
      });
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
