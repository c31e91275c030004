import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { McapConstants, McapRecordBuilder, type McapTypes } from "@mcap/core";
import type { ClosedChunk, DescribedChannels } from "./chunk-encoder.ts";
import { combineCrc32 } from "./combine-crc32.ts";
import { WholeFileWritable } from "./whole-file-writable.ts";

/** What a recorder needs of an open file. */
export type RecordingFile = Pick<FileHandle, "write" | "writev" | "datasync" | "close">;

type Statistics = McapTypes.Statistics;

/**
 * Writes closed chunks to an MCAP file. Channels and schemas lie before the first chunk that needs
 * them and outside of chunks, so that every file of a recorder, and every beginning of one, can be
 * read by itself; unless the chunks describe all they use. Calls must not overlap.
 */
export class McapFileWriter {
  readonly #file: RecordingFile;
  readonly #writable: WholeFileWritable;
  readonly #table: DescribedChannels;
  readonly #describes: boolean;
  readonly #records = new McapRecordBuilder();
  readonly #chunks: McapTypes.ChunkIndex[] = [];
  readonly #metadata: McapTypes.MetadataIndex[] = [];
  readonly #attachments: McapTypes.AttachmentIndex[] = [];
  readonly #counts = new Map<number, bigint>();
  #schemas = 0;
  #channels = 0;
  #crc = 0;

  /**
   * @param table grows as chunks are appended
   * @param describes false if the chunks themselves describe what they use
   */
  constructor(file: RecordingFile, table: DescribedChannels, describes = true) {
    this.#file = file;
    this.#writable = new WholeFileWritable(file);
    this.#table = table;
    this.#describes = describes;
  }

  /** The file's head and what it says of itself. */
  async start(name: string, metadata: ReadonlyMap<string, string>): Promise<void> {
    this.#beginWith("polyphase");
    await this.addMetadata(name, metadata);
  }

  /** The file's head alone. */
  async startPlain(profile: string): Promise<void> {
    this.#beginWith(profile);
    await this.#write();
  }

  async addAttachment(attachment: McapTypes.Attachment): Promise<void> {
    const { data, name, mediaType, logTime, createTime } = attachment;
    const offset = this.#writable.position();
    const length = this.#records.writeAttachment(attachment);
    const dataSize = BigInt(data.byteLength);
    this.#attachments.push({ name, mediaType, logTime, createTime, offset, length, dataSize });
    await this.#write();
  }

  async addMetadata(name: string, metadata: ReadonlyMap<string, string>): Promise<void> {
    const offset = this.#writable.position() + BigInt(this.#records.length);
    const length = this.#records.writeMetadata({ name, metadata: new Map(metadata) });
    this.#metadata.push({ name, offset, length });
    await this.#write();
  }

  /** Appends chunks, which fewer and larger writes make cheaper, and may be used again then. */
  async append(...chunks: readonly ClosedChunk[]): Promise<void> {
    await this.#writeDescriptions();
    let start = this.#writable.position();
    for (const { bytes, crc, index, messages } of chunks) {
      this.#chunks.push({
        ...index,
        chunkStartOffset: start,
        messageIndexOffsets: new Map(
          [...index.messageIndexOffsets].map(([id, offset]) => [id, start + offset]),
        ),
      });
      for (const [id, count] of messages) {
        this.#counts.set(id, (this.#counts.get(id) ?? 0n) + BigInt(count));
      }
      this.#crc = combineCrc32(this.#crc, crc, bytes.byteLength);
      start += BigInt(bytes.byteLength);
    }
    await this.#writable.write(...chunks.map(({ bytes }) => bytes));
  }

  /** Resolves when all that was written is on the disk. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** Index and footer. */
  async end(): Promise<void> {
    await this.#writeDescriptions();
    this.#records.writeDataEnd({ dataSectionCrc: this.#crc });
    const dataEnd = this.#records.buffer.slice();
    this.#records.reset();
    const start = this.#writable.position() + BigInt(dataEnd.byteLength);
    const groups: McapTypes.SummaryOffset[] = [];
    const group = (groupOpcode: number, write: () => void): void => {
      const before = this.#records.length;
      write();
      const groupLength = BigInt(this.#records.length - before);
      if (groupLength > 0n)
        groups.push({ groupOpcode, groupStart: start + BigInt(before), groupLength });
    };
    const { Opcode } = McapConstants;
    const { schemas, channels } = this.#table;
    group(Opcode.SCHEMA, () => {
      for (const schema of schemas.slice(0, this.#schemas)) this.#records.writeSchema(schema);
    });
    group(Opcode.CHANNEL, () => {
      for (const channel of channels.slice(0, this.#channels)) this.#records.writeChannel(channel);
    });
    group(Opcode.STATISTICS, () => this.#records.writeStatistics(this.#statistics()));
    group(Opcode.METADATA_INDEX, () => {
      for (const index of this.#metadata) this.#records.writeMetadataIndex(index);
    });
    group(Opcode.ATTACHMENT_INDEX, () => {
      for (const index of this.#attachments) this.#records.writeAttachmentIndex(index);
    });
    group(Opcode.CHUNK_INDEX, () => {
      for (const index of this.#chunks) this.#records.writeChunkIndex(index);
    });
    const summaryOffsetStart = start + BigInt(this.#records.length);
    for (const offset of groups) this.#records.writeSummaryOffset(offset);
    await this.#writable.write(dataEnd, this.#withFooter(start, summaryOffsetStart));
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #beginWith(profile: string): void {
    this.#records.writeMagic();
    this.#records.writeHeader({ profile, library: "polyphase" });
  }

  /** The summary that the record builder holds, with what closes the file. */
  #withFooter(summaryStart: bigint, summaryOffsetStart: bigint): Uint8Array {
    // The CRC covers the footer up to itself: opcode, length and the two offsets.
    const covered = this.#records.length + 1 + 8 + 8 + 8;
    this.#records.writeFooter({ summaryStart, summaryOffsetStart, summaryCrc: 0 });
    this.#records.writeMagic();
    const bytes = this.#records.buffer;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(
      covered,
      crc32(bytes.subarray(0, covered)),
      true,
    );
    return bytes;
  }

  #statistics(): Statistics {
    const times = this.#chunks.flatMap(({ messageStartTime, messageEndTime }) => {
      return [messageStartTime, messageEndTime];
    });
    times.sort((a, b) => (a < b ? -1 : Number(a > b)));
    return {
      messageCount: [...this.#counts.values()].reduce((sum, count) => sum + count, 0n),
      schemaCount: this.#schemas,
      channelCount: this.#channels,
      attachmentCount: this.#attachments.length,
      metadataCount: this.#metadata.length,
      chunkCount: this.#chunks.length,
      messageStartTime: times[0] ?? 0n,
      messageEndTime: times.at(-1) ?? 0n,
      channelMessageCounts: this.#counts,
    };
  }

  /** Takes, and describes unless chunks do, what has come to the table of channels since. */
  async #writeDescriptions(): Promise<void> {
    const { schemas, channels } = this.#table;
    if (this.#describes) {
      for (const schema of schemas.slice(this.#schemas)) this.#records.writeSchema(schema);
      for (const channel of channels.slice(this.#channels)) this.#records.writeChannel(channel);
    }
    this.#schemas = schemas.length;
    this.#channels = channels.length;
    await this.#write();
  }

  /** Writes what the record builder holds. */
  async #write(): Promise<void> {
    if (this.#records.length === 0) return;
    const bytes = this.#records.buffer;
    this.#records.reset();
    await this.#writeData(bytes);
  }

  async #writeData(bytes: Uint8Array): Promise<void> {
    this.#crc = crc32(bytes, this.#crc);
    await this.#writable.write(bytes);
  }
}
