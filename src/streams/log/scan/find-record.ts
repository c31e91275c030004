import { crc32 } from "node:zlib";
import type { ByteWindow } from "./byte-window.ts";
import type { LogDefinitions } from "./log-definitions.ts";
import { lengthMismatch, opcodes, readRecordHead, recordHeadBytes, viewOf } from "./log-record.ts";
import { isChunkHead } from "./read-log-chunk.ts";

const stepBytes = 1024 * 1024;
/** What the form of a record is told by. */
const headBytes = 64;
/** Messages have no checksum of their own: only several in a row are believed to be some. */
const messagesInARow = 4;
/** An attachment is believed by its checksum, for which it is read as a whole. */
const attachmentBytesMax = 256 * 1024 * 1024;

/**
 * The first place from `from` on where a record begins that cannot be anything else: a chunk whose
 * lengths agree, an attachment with the right CRC, the end of data, or, where a file has its messages
 * outside of chunks, several messages of known channels in a row.
 */
export async function findRecord(
  window: ByteWindow,
  from: number,
  looseMessages: boolean,
  definitions: LogDefinitions,
): Promise<number | undefined> {
  for (let start = from; start < window.size; start += stepBytes) {
    const bytes = (await window.view(start, stepBytes + headBytes)).slice();
    for (let i = 0; i < bytes.length && i < stepBytes; i++) {
      const opcode = bytes[i]!;
      if (opcode === 0 || opcode > opcodes.DATA_END) continue;
      const head = bytes.subarray(i, i + headBytes);
      if (head.length < recordHeadBytes) break;
      const at = start + i;
      if (await isRecord(window, at, head, looseMessages, definitions)) return at;
    }
  }
  return undefined;
}

async function isRecord(
  window: ByteWindow,
  at: number,
  head: Uint8Array,
  looseMessages: boolean,
  definitions: LogDefinitions,
): Promise<boolean> {
  const { opcode, contentBytes } = readRecordHead(head);
  if (at + recordHeadBytes + contentBytes > window.size) return false;
  if (opcode === opcodes.CHUNK) return isChunkHead(head, contentBytes);
  if (opcode === opcodes.DATA_END) return contentBytes === 4;
  if (opcode === opcodes.ATTACHMENT) return isAttachment(window, at, contentBytes);
  return (
    looseMessages &&
    opcode === opcodes.MESSAGE &&
    (await countMessages(window, at, definitions)) >= messagesInARow
  );
}

async function isAttachment(
  window: ByteWindow,
  at: number,
  contentBytes: number,
): Promise<boolean> {
  if (contentBytes < 36 || contentBytes > attachmentBytesMax) return false;
  const record = await window.view(at, recordHeadBytes + contentBytes);
  if (record.length < recordHeadBytes + contentBytes) return false;
  if (lengthMismatch(record) !== undefined) return false;
  const crc = viewOf(record).getUint32(record.length - 4, true);
  return crc !== 0 && crc === crc32(record.subarray(recordHeadBytes, record.length - 4));
}

/** Messages of known channels in a row, `messagesInARow` at most; the file's end counts as one. */
async function countMessages(
  window: ByteWindow,
  from: number,
  definitions: LogDefinitions,
): Promise<number> {
  let at = from;
  for (let count = 0; count < messagesInARow; count++) {
    const head = await window.view(at, recordHeadBytes + 2);
    if (head.length < recordHeadBytes + 2) return at === window.size ? messagesInARow : count;
    const { opcode, contentBytes } = readRecordHead(head);
    if (opcode === opcodes.DATA_END && contentBytes === 4 && count > 0) return messagesInARow;
    const channel = viewOf(head).getUint16(recordHeadBytes, true);
    const isMessage = opcode === opcodes.MESSAGE && contentBytes >= 22;
    if (!isMessage || definitions.channel(channel) === undefined) return count;
    at += recordHeadBytes + contentBytes;
  }
  return messagesInARow;
}
