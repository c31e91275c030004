import { crc32 } from "node:zlib";
import zstd from "@foxglove/wasm-zstd";
import { McapConstants, McapRecordBuilder, type McapTypes } from "@mcap/core";
import { combineCrc32 } from "./combine-crc32.ts";

/** zstd-1 packs sensor data within 5 % of zstd-3 at twice its speed. */
const zstdLevel = 1;
/** A chunk of 128 KiB, a message that makes it full, and what lies around. */
const startBytes = 160 * 1024;

/** Chunks of two blocks that a file takes at once: one that is made, one that is written. */
const sparesMax = 16;

/** How the content of a chunk, which is valid during the call only, is packed. */
export type ChunkCompressor = (content: Uint8Array) => {
  /** MCAP's name of it; empty for content as it is, which is then given back itself. */
  readonly compression: string;
  readonly compressedData: Uint8Array;
};

/** Messages as they go to a file: a chunk record and the message indexes behind it. */
export interface ClosedChunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** CRC-32 of `bytes`. */
  readonly crc: number;
  /** Its entry in a file's index, as if the chunk were the file's beginning. */
  readonly index: McapTypes.ChunkIndex;
  readonly messages: ReadonlyMap<number, number>;
}

/** The schemas, by id from 1 on, and channels, by id from 0 on, that chunks may use; they grow. */
export interface DescribedChannels {
  readonly schemas: readonly McapTypes.Schema[];
  readonly channels: readonly McapTypes.Channel[];
}

/** Where the messages of one channel lie in the chunk. */
interface MessageIndex {
  readonly logTimes: bigint[];
  readonly offsets: number[];
}

/** Bytes of an opcode and of the length that follows it. */
const prefixBytes = 1 + 8;
/** Of a message before its data: channel, sequence, log time and publish time. */
const messageHeadBytes = 2 + 4 + 8 + 8;
/** Of a chunk beside its content and the name of its compression. */
const chunkHeadBytes = 8 + 8 + 8 + 4 + 4 + 8;
/** Before the content there is room for the head of a chunk that is not compressed. */
const contentFrom = prefixBytes + chunkHeadBytes;
/** Of a message index beside its entries: channel and their length. */
const indexHeadBytes = 2 + 4;
const indexEntryBytes = 8 + 8;

/**
 * Packs messages into MCAP chunks that can be closed at any moment, in memory that is used again:
 * `McapWriter` closes them only when they are full, writes them twice if it is called again
 * meanwhile, and copies each four times. Synchronous, so that nothing can come between.
 * `zstd.isLoaded` must have been awaited.
 */
export class ChunkEncoder {
  readonly #compress: ChunkCompressor;
  readonly #records = new McapRecordBuilder();
  readonly #indexes = new Map<number, MessageIndex>();
  readonly #describedChannels = new Set<number>();
  readonly #describedSchemas = new Set<number>();
  /** The content lies from `contentFrom` on. */
  #memory = new Uint8Array(startBytes);
  #view = new DataView(this.#memory.buffer);
  /** Of the content. */
  #length = 0;
  readonly #spares: Uint8Array<ArrayBuffer>[] = [];
  #messages = 0;
  #startTime = 0n;
  #endTime = 0n;

  /** @param compress default zstd */
  constructor(compress: ChunkCompressor = compressZstd) {
    this.#compress = compress;
  }

  /** Uncompressed bytes of the chunk under way. */
  get byteLength(): number {
    return this.#length;
  }

  add(message: McapTypes.Message): void {
    const { channelId, sequence, logTime, publishTime, data } = message;
    const { logTimes, offsets } = this.#indexOf(channelId);
    logTimes.push(logTime);
    offsets.push(this.#length);
    if (this.#messages === 0 || logTime < this.#startTime) this.#startTime = logTime;
    if (this.#messages === 0 || logTime > this.#endTime) this.#endTime = logTime;
    this.#messages++;
    const length = messageHeadBytes + data.byteLength;
    const from = this.#grow(prefixBytes + length);
    const at = writePrefix(this.#view, from, McapConstants.Opcode.MESSAGE, length);
    this.#view.setUint16(at, channelId, true);
    this.#view.setUint32(at + 2, sequence, true);
    this.#view.setBigUint64(at + 6, logTime, true);
    this.#view.setBigUint64(at + 14, publishTime, true);
    this.#memory.set(data, at + messageHeadBytes);
  }

  /**
   * Describes a channel in the chunk itself, where its CRC covers the description, unless this
   * chunk or one before does.
   */
  describe(channelId: number, { channels, schemas }: DescribedChannels): void {
    if (this.#describedChannels.has(channelId)) return;
    this.#describedChannels.add(channelId);
    const channel = channels[channelId]!;
    // 0 stands for no schema.
    const schema = schemas[channel.schemaId - 1];
    this.#records.reset();
    if (schema !== undefined && !this.#describedSchemas.has(schema.id)) {
      this.#describedSchemas.add(schema.id);
      this.#records.writeSchema(schema);
    }
    this.#records.writeChannel(channel);
    const { buffer } = this.#records;
    const from = this.#grow(buffer.byteLength);
    this.#memory.set(buffer, from);
    this.#indexOf(channelId);
  }

  /** The messages since the last call; undefined if there is none. */
  close(): ClosedChunk | undefined {
    if (this.#messages === 0) return undefined;
    const content = this.#memory.subarray(contentFrom, contentFrom + this.#length);
    const { compression, compressedData } = this.#compress(content);
    const contentCrc = crc32(content);
    const headLength = contentFrom + compression.length;
    const chunkLength = headLength + compressedData.byteLength;
    const messageIndexLength = this.#messageIndexLength();
    const isPlain = compressedData === content;
    const bytes = this.#bytesOfChunk(chunkLength + messageIndexLength, isPlain);
    if (!isPlain) bytes.set(compressedData, headLength);
    this.#writeHead(bytes, chunkLength, compression, contentCrc);
    const messageIndexOffsets = this.#writeIndexes(bytes, chunkLength);
    const index = {
      messageStartTime: this.#startTime,
      messageEndTime: this.#endTime,
      chunkStartOffset: 0n,
      chunkLength: BigInt(chunkLength),
      messageIndexOffsets,
      messageIndexLength: BigInt(messageIndexLength),
      compression,
      compressedSize: BigInt(compressedData.byteLength),
      uncompressedSize: BigInt(this.#length),
    };
    const messages = new Map<number, number>();
    for (const [id, { offsets }] of this.#indexes) messages.set(id, offsets.length);
    const crc = isPlain ? crcAround(bytes, contentCrc, this.#length) : crc32(bytes);
    this.#indexes.clear();
    this.#length = 0;
    this.#messages = 0;
    return { bytes, crc, index, messages };
  }

  /** Takes back a chunk that nobody will read any more: its memory is used for one to come. */
  reuse({ bytes }: ClosedChunk): void {
    if (this.#spares.length < sparesMax) this.#spares.push(new Uint8Array(bytes.buffer));
  }

  /** Content that is not compressed stays where it is; the next chunk gets other memory. */
  #bytesOfChunk(length: number, isPlain: boolean): Uint8Array<ArrayBuffer> {
    if (!isPlain) return this.#take(length).subarray(0, length);
    this.#reserve(length);
    const bytes = this.#memory.subarray(0, length);
    this.#setMemory(this.#take(this.#memory.byteLength));
    return bytes;
  }

  /** At least `length` bytes that hold anything: all that is read of them will be written before. */
  #take(length: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spares.pop();
    return spare !== undefined && spare.byteLength >= length
      ? spare
      : (Buffer.allocUnsafeSlow(length) as Uint8Array<ArrayBuffer>);
  }

  #indexOf(channelId: number): MessageIndex {
    let index = this.#indexes.get(channelId);
    if (index === undefined) {
      index = { logTimes: [], offsets: [] };
      this.#indexes.set(channelId, index);
    }
    return index;
  }

  /** Makes room behind the content. @returns where it begins in the memory */
  #grow(bytes: number): number {
    const from = contentFrom + this.#length;
    this.#reserve(from + bytes);
    this.#length += bytes;
    return from;
  }

  /** Makes the memory `length` bytes at least; what it holds stays. */
  #reserve(length: number): void {
    if (length <= this.#memory.byteLength) return;
    const grown = new Uint8Array(Math.max(length, 2 * this.#memory.byteLength));
    grown.set(this.#memory.subarray(0, contentFrom + this.#length));
    this.#setMemory(grown);
  }

  #setMemory(memory: Uint8Array<ArrayBuffer>): void {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  }

  #messageIndexLength(): number {
    let length = 0;
    for (const { offsets } of this.#indexes.values()) {
      length += prefixBytes + indexHeadBytes + offsets.length * indexEntryBytes;
    }
    return length;
  }

  /** What lies before the content. */
  #writeHead(
    bytes: Uint8Array<ArrayBuffer>,
    chunkLength: number,
    compression: string,
    contentCrc: number,
  ): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let at = writePrefix(view, 0, McapConstants.Opcode.CHUNK, chunkLength - prefixBytes);
    view.setBigUint64(at, this.#startTime, true);
    view.setBigUint64(at + 8, this.#endTime, true);
    view.setBigUint64(at + 16, BigInt(this.#length), true);
    view.setUint32(at + 24, contentCrc, true);
    view.setUint32(at + 28, compression.length, true);
    at += 32;
    for (const character of compression) view.setUint8(at++, character.charCodeAt(0));
    view.setBigUint64(at, BigInt(chunkLength - contentFrom - compression.length), true);
  }

  /** @returns where each channel's index begins */
  #writeIndexes(bytes: Uint8Array<ArrayBuffer>, from: number): Map<number, bigint> {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const starts = new Map<number, bigint>();
    let at = from;
    for (const [id, { logTimes, offsets }] of this.#indexes) {
      starts.set(id, BigInt(at));
      const entriesLength = offsets.length * indexEntryBytes;
      const length = indexHeadBytes + entriesLength;
      at = writePrefix(view, at, McapConstants.Opcode.MESSAGE_INDEX, length);
      view.setUint16(at, id, true);
      view.setUint32(at + 2, entriesLength, true);
      at += indexHeadBytes;
      for (const [i, offset] of offsets.entries()) {
        view.setBigUint64(at, logTimes[i]!, true);
        view.setBigUint64(at + 8, BigInt(offset), true);
        at += indexEntryBytes;
      }
    }
    return starts;
  }
}

/** CRC of a chunk that is not compressed, and its indexes: the content has one already. */
function crcAround(bytes: Uint8Array, contentCrc: number, contentLength: number): number {
  const head = crc32(bytes.subarray(0, contentFrom));
  const behind = bytes.subarray(contentFrom + contentLength);
  return crc32(behind, combineCrc32(head, contentCrc, contentLength));
}

/** @returns index behind the opcode and the length */
function writePrefix(view: DataView, at: number, opcode: number, length: number): number {
  view.setUint8(at, opcode);
  // Below 4 GiB, as all memory of this process's typed arrays.
  view.setUint32(at + 1, length, true);
  view.setUint32(at + 5, 0, true);
  return at + prefixBytes;
}

/** zstd, as recordings are packed where nobody wants it otherwise. */
export function compressZstd(content: Uint8Array): ReturnType<ChunkCompressor> {
  return { compression: "zstd", compressedData: zstd.compress(content, zstdLevel) };
}

/** Content as it is. */
export function compressNothing(content: Uint8Array): ReturnType<ChunkCompressor> {
  return { compression: "", compressedData: content };
}
