import { type FileHandle, open, rename, rm } from "node:fs/promises";
import zstd from "@foxglove/wasm-zstd";
import { McapWriter } from "@mcap/core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { WholeFileWritable } from "../record/whole-file-writable.ts";
import { compressLz4 } from "./compress-lz4.ts";
import type { LogChannel, LogEntry, LogSchema } from "./scan/log-entry.ts";

export const logCompressions = ["none", "lz4", "zstd"] as const;
export type LogCompression = (typeof logCompressions)[number];

export interface LogWriterOptions {
  readonly profile: string;
  /** Default `zstd`. */
  readonly compression?: LogCompression;
  /** Bytes of messages per chunk before they are compressed. Default 128 KiB. */
  readonly chunkBytes?: number;
}

const defaultChunkBytes = 128 * 1024;
const zstdLevel = 1;

/**
 * Writes an indexed MCAP file of entries as they are: topics, schemas, metadata, numbers, times and
 * messages keep their bytes. Channels that say the same become one. The file gets its name when it is
 * complete.
 *
 * Calls must be awaited one after the other (a limit of `McapWriter`).
 */
export class LogWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #writer: McapWriter;
  readonly #schemaIds = new Map<string, number>();
  readonly #idByKey = new Map<string, number>();
  readonly #idByChannel = new Map<LogChannel, number>();
  #messages = 0;

  private constructor(path: string, file: FileHandle, writer: McapWriter) {
    this.#path = path;
    this.#file = file;
    this.#writer = writer;
  }

  /** @throws {PolyphaseError} FAILED if the file cannot be written */
  static async create(path: string, options: LogWriterOptions): Promise<LogWriter> {
    const { compression = "zstd", chunkBytes = defaultChunkBytes, profile } = options;
    await zstd.isLoaded;
    const file = await open(`${path}.partial`, "w").catch((cause: Error) => {
      throw new PolyphaseError("FAILED", `Cannot write ${path}: ${cause.message}`, { cause });
    });
    const writer = new McapWriter({
      writable: new WholeFileWritable(file),
      chunkSize: chunkBytes,
      ...(compression === "none" ? {} : { compressChunk: compressors[compression] }),
    });
    await writer.start({ profile, library: "polyphase" });
    return new LogWriter(path, file, writer);
  }

  /** Messages written. */
  get messages(): number {
    return this.#messages;
  }

  /** Writes one entry; a header is left out, since the file has one. */
  async write(entry: LogEntry): Promise<void> {
    switch (entry.kind) {
      case "message": {
        const { channel, sequence, logTime, publishTime, data } = entry;
        const channelId = this.#idByChannel.get(channel) ?? (await this.#register(channel));
        this.#messages++;
        return this.#writer.addMessage({ channelId, sequence, logTime, publishTime, data });
      }
      case "channel":
        await this.#register(entry.channel);
        return;
      case "metadata":
        return this.#writer.addMetadata(entry.metadata);
      case "attachment":
        return this.#writer.addAttachment(entry.attachment);
      case "header":
        return;
    }
  }

  /** Completes the file and gives it its name. */
  async close(): Promise<void> {
    try {
      await this.#writer.end();
      await this.#file.datasync();
    } catch (failure) {
      await this.abort();
      throw failure;
    }
    await this.#file.close();
    await rename(`${this.#path}.partial`, this.#path);
  }

  /** Removes what was written. */
  async abort(): Promise<void> {
    await this.#file.close();
    await rm(`${this.#path}.partial`, { force: true });
  }

  async #register(channel: LogChannel): Promise<number> {
    const known = this.#idByChannel.get(channel);
    if (known !== undefined) return known;
    const key = channelKey(channel);
    let id = this.#idByKey.get(key);
    if (id === undefined) {
      const { topic, messageEncoding, metadata, schema } = channel;
      const schemaId = schema === undefined ? 0 : await this.#registerSchema(schema);
      id = await this.#writer.registerChannel({
        ...{ schemaId, topic, messageEncoding, metadata: new Map(metadata) },
      });
      this.#idByKey.set(key, id);
    }
    this.#idByChannel.set(channel, id);
    return id;
  }

  async #registerSchema(schema: LogSchema): Promise<number> {
    const key = schemaKey(schema);
    let id = this.#schemaIds.get(key);
    if (id === undefined) {
      const { name, encoding, data } = schema;
      id = await this.#writer.registerSchema({ name, encoding, data });
      this.#schemaIds.set(key, id);
    }
    return id;
  }
}

/** Equal for channels that say the same in every respect. */
function channelKey({ topic, messageEncoding, metadata, schema }: LogChannel): string {
  const sorted = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([topic, messageEncoding, sorted, schema && schemaKey(schema)]);
}

/** Equal for schemas that say the same. */
export function schemaKey({ name, encoding, data }: LogSchema): string {
  return JSON.stringify([name, encoding, Buffer.from(data).toString("base64")]);
}

const compressors = {
  lz4: (chunk: Uint8Array) => ({ compression: "lz4", compressedData: compressLz4(chunk) }),
  zstd: (chunk: Uint8Array) => ({
    compression: "zstd",
    compressedData: zstd.compress(chunk, zstdLevel),
  }),
};
