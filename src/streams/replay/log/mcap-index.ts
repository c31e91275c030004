import { McapConstants, McapIndexedReader, McapStreamReader, type McapTypes } from "@mcap/core";
import type { FileReadable } from "../file-readable.ts";

/** Where a chunk lies in its file. */
export interface ChunkPlace {
  readonly offset: bigint;
  readonly length: bigint;
  /** Channels of its messages. */
  readonly channelIds: ReadonlySet<number>;
}

/** What an MCAP file holds, whether it was completed or not. */
export interface McapIndex {
  /** False where the file ends without an index: whoever wrote it did not come to its end. */
  readonly isClosed: boolean;
  /** In file order. */
  readonly chunks: readonly ChunkPlace[];
  readonly schemas: ReadonlyMap<number, McapTypes.Schema>;
  readonly channels: ReadonlyMap<number, McapTypes.Channel>;
  /** Messages per channel; empty where the file has no index. */
  readonly counts: ReadonlyMap<number, bigint>;
  readonly metadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Opcode and length of every record. */
const recordHeadBytes = 9;

/** The index of a completed file. */
export async function readMcapIndex(
  readable: FileReadable,
  decompressHandlers: McapTypes.DecompressHandlers,
): Promise<McapIndex> {
  const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
  const metadata = new Map<string, ReadonlyMap<string, string>>();
  for await (const record of reader.readMetadata()) metadata.set(record.name, record.metadata);
  const chunks = reader.chunkIndexes.map((chunk) => ({
    offset: chunk.chunkStartOffset,
    length: chunk.chunkLength,
    channelIds: new Set(chunk.messageIndexOffsets.keys()),
  }));
  return {
    isClosed: true,
    chunks: chunks.sort((a, b) => Number(a.offset - b.offset)),
    schemas: reader.schemasById,
    channels: reader.channelsById,
    counts: reader.statistics?.channelMessageCounts ?? new Map(),
    metadata,
  };
}

/**
 * What a file that was cut off holds, up to its last whole record. Reads the heads of records and
 * skips the chunks; schemas and channels must lie outside of them.
 */
export async function scanMcap(readable: FileReadable): Promise<McapIndex> {
  const { Opcode } = McapConstants;
  const parser = new McapStreamReader({ noMagicPrefix: true });
  const chunks: { offset: bigint; length: bigint; channelIds: Set<number> }[] = [];
  const schemas = new Map<number, McapTypes.Schema>();
  const channels = new Map<number, McapTypes.Channel>();
  const metadata = new Map<string, ReadonlyMap<string, string>>();
  for await (const { opcode, offset, length } of wholeRecords(readable)) {
    if (opcode === Opcode.CHUNK) {
      chunks.push({ offset, length, channelIds: new Set() });
    } else if (opcode === Opcode.MESSAGE_INDEX) {
      const id = await readable.read(offset + BigInt(recordHeadBytes), 2n);
      chunks.at(-1)?.channelIds.add(viewOf(id).getUint16(0, true));
    } else {
      parser.append(await readable.read(offset, length));
      const record = parser.nextRecord();
      if (record?.type === "Schema") schemas.set(record.id, record);
      else if (record?.type === "Channel") channels.set(record.id, record);
      else if (record?.type === "Metadata") metadata.set(record.name, record.metadata);
    }
  }
  return { isClosed: false, chunks, schemas, channels, counts: new Map(), metadata };
}

/** The records before a file's summary that it has the whole of. */
async function* wholeRecords(
  readable: FileReadable,
): AsyncGenerator<{ readonly opcode: number; readonly offset: bigint; readonly length: bigint }> {
  const size = await readable.size();
  let offset = BigInt(McapConstants.MCAP_MAGIC.length);
  while (offset + BigInt(recordHeadBytes) <= size) {
    const head = await readable.read(offset, BigInt(recordHeadBytes));
    const opcode = head[0]!;
    const length = BigInt(recordHeadBytes) + viewOf(head).getBigUint64(1, true);
    if (offset + length > size || opcode === McapConstants.Opcode.DATA_END) return;
    yield { opcode, offset, length };
    offset += length;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
