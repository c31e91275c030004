import { crc32 } from "node:zlib";
import zstd from "@foxglove/wasm-zstd";
import { McapChunkBuilder, McapRecordBuilder, type McapTypes } from "@mcap/core";

/** zstd-1 packs sensor data within 5 % of zstd-3 at twice its speed. */
const zstdLevel = 1;

/** Messages as they go to a file: a chunk record and the message indexes behind it. */
export interface ClosedChunk {
  readonly bytes: Uint8Array;
  /** Its entry in a file's index, as if the chunk were the file's beginning. */
  readonly index: McapTypes.ChunkIndex;
  readonly messages: ReadonlyMap<number, number>;
}

/**
 * Packs messages into MCAP chunks that can be closed at any moment: `McapWriter` closes them only
 * when they are full, and then writes them twice if it is called again meanwhile. Synchronous, so
 * that nothing can come between. `zstd.isLoaded` must have been awaited.
 */
export class ChunkEncoder {
  readonly #builder = new McapChunkBuilder({});
  readonly #records = new McapRecordBuilder();

  /** Uncompressed bytes of the chunk under way. */
  get byteLength(): number {
    return this.#builder.byteLength;
  }

  add(message: McapTypes.Message): void {
    this.#builder.addMessage(message);
  }

  /** The messages since the last call; undefined if there is none. */
  close(): ClosedChunk | undefined {
    if (this.#builder.numMessages === 0) return undefined;
    const { buffer, messageStartTime, messageEndTime, indices } = this.#builder;
    const compressed = zstd.compress(buffer, zstdLevel);
    this.#records.reset();
    const chunkLength = this.#records.writeChunk({
      messageStartTime,
      messageEndTime,
      uncompressedSize: BigInt(buffer.byteLength),
      uncompressedCrc: crc32(buffer),
      compression: "zstd",
      records: compressed,
    });
    const messageIndexOffsets = new Map<number, bigint>();
    const messages = new Map<number, number>();
    for (const index of indices) {
      messageIndexOffsets.set(index.channelId, BigInt(this.#records.length));
      messages.set(index.channelId, index.records.length);
      this.#records.writeMessageIndex(index);
    }
    const bytes = this.#records.buffer;
    const index = {
      messageStartTime,
      messageEndTime,
      chunkStartOffset: 0n,
      chunkLength,
      messageIndexOffsets,
      messageIndexLength: BigInt(bytes.byteLength) - chunkLength,
      compression: "zstd",
      compressedSize: BigInt(compressed.byteLength),
      uncompressedSize: BigInt(buffer.byteLength),
    };
    this.#builder.reset();
    return { bytes, index, messages };
  }
}
