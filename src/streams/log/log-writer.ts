import { open, rename, rm } from "node:fs/promises";
import zstd from "@foxglove/wasm-zstd";
import type { McapTypes } from "@mcap/core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { schemaNames } from "../../wire/schema.ts";
import {
  type ChunkCompressor,
  ChunkEncoder,
  compressNothing,
  compressZstd,
} from "../record/chunk-encoder.ts";
import { McapFileWriter, type RecordingFile } from "../record/mcap-file-writer.ts";
import { compressLz4 } from "./compress-lz4.ts";
import type { LogChannel, LogEntry, LogMessage, LogSchema } from "./scan/log-entry.ts";

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

const compressors: Readonly<Record<LogCompression, ChunkCompressor>> = {
  none: compressNothing,
  lz4: (chunk) => ({ compression: "lz4", compressedData: compressLz4(chunk) }),
  zstd: compressZstd,
};

/**
 * Writes an indexed MCAP file of entries as they are: topics, schemas, metadata, numbers, times and
 * messages keep their bytes. Channels that say the same become one. Keyframes open a chunk, as a
 * recorder writes them, so that replays can begin there. The file gets its name when it is complete.
 *
 * Calls must be awaited one after the other.
 */
export class LogWriter {
  readonly #path: string;
  readonly #file: McapFileWriter;
  readonly #table: { readonly schemas: McapTypes.Schema[]; readonly channels: McapTypes.Channel[] };
  readonly #chunk: ChunkEncoder;
  readonly #chunkBytes: number;
  readonly #schemaIds = new Map<string, number>();
  readonly #idByKey = new Map<string, number>();
  readonly #idByChannel = new Map<LogChannel, number>();
  /** True while the chunk holds nothing but keyframes and their watermarks. */
  #isOpening = false;
  #messages = 0;

  private constructor(path: string, file: RecordingFile, options: LogWriterOptions) {
    const { compression = "zstd", chunkBytes = defaultChunkBytes } = options;
    this.#path = path;
    this.#table = { schemas: [], channels: [] };
    this.#file = new McapFileWriter(file, this.#table);
    this.#chunk = new ChunkEncoder(compressors[compression]);
    this.#chunkBytes = chunkBytes;
  }

  /** @throws {PolyphaseError} FAILED if the file cannot be written */
  static async create(path: string, options: LogWriterOptions): Promise<LogWriter> {
    await zstd.isLoaded;
    const file = await open(`${path}.partial`, "w").catch((cause: Error) => {
      throw new PolyphaseError("FAILED", `Cannot write ${path}: ${cause.message}`, { cause });
    });
    const writer = new LogWriter(path, file, options);
    await writer.#file.startPlain(options.profile);
    return writer;
  }

  /** Messages written. */
  get messages(): number {
    return this.#messages;
  }

  /** Writes one entry; a header is left out, since the file has one. */
  async write(entry: LogEntry): Promise<void> {
    switch (entry.kind) {
      case "message":
        return this.#writeMessage(entry);
      case "channel":
        this.#register(entry.channel);
        return;
      case "metadata":
        return this.#file.addMetadata(entry.metadata.name, entry.metadata.metadata);
      case "attachment":
        return this.#file.addAttachment(entry.attachment);
      case "header":
        return;
    }
  }

  /** Completes the file and gives it its name. */
  async close(): Promise<void> {
    try {
      await this.#closeChunk();
      await this.#file.end();
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

  async #writeMessage(message: LogMessage): Promise<void> {
    const { channel, sequence, logTime, publishTime, data } = message;
    const name = channel.schema?.name;
    if (name === schemaNames.keyframe && !this.#isOpening) {
      await this.#closeChunk();
      this.#isOpening = true;
    }
    this.#isOpening &&= name === schemaNames.keyframe || name === schemaNames.watermark;
    const channelId = this.#idByChannel.get(channel) ?? this.#register(channel);
    this.#chunk.describe(channelId, this.#table);
    this.#chunk.add({ channelId, sequence, logTime, publishTime, data });
    this.#messages++;
    // What opens a chunk stays together, however large it is.
    if (this.#chunk.byteLength > this.#chunkBytes && !this.#isOpening) await this.#closeChunk();
  }

  async #closeChunk(): Promise<void> {
    const chunk = this.#chunk.close();
    if (chunk === undefined) return;
    await this.#file.append(chunk);
    this.#chunk.reuse(chunk);
  }

  #register(channel: LogChannel): number {
    const known = this.#idByChannel.get(channel);
    if (known !== undefined) return known;
    const key = channelKey(channel);
    let id = this.#idByKey.get(key);
    if (id === undefined) {
      const { topic, messageEncoding, metadata, schema } = channel;
      const schemaId = schema === undefined ? 0 : this.#schemaId(schema);
      id = this.#table.channels.length;
      this.#table.channels.push({
        ...{ id, schemaId, topic, messageEncoding, metadata: new Map(metadata) },
      });
      this.#idByKey.set(key, id);
    }
    this.#idByChannel.set(channel, id);
    return id;
  }

  #schemaId(schema: LogSchema): number {
    const key = schemaKey(schema);
    let id = this.#schemaIds.get(key);
    if (id === undefined) {
      const { name, encoding, data } = schema;
      id = this.#table.schemas.length + 1;
      this.#table.schemas.push({ id, name, encoding, data });
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
