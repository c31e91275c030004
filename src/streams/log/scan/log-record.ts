import { McapConstants, McapStreamReader, type McapTypes } from "@mcap/core";

export const opcodes: typeof McapConstants.Opcode = McapConstants.Opcode;
export const recordHeadBytes = 9;

/** Opcode and content length of the record at the beginning of `head`, 9 bytes. */
export interface RecordHead {
  readonly opcode: number;
  readonly contentBytes: number;
}

/** @param head at least 9 bytes */
export function readRecordHead(head: Uint8Array): RecordHead {
  const view = new DataView(head.buffer, head.byteOffset, recordHeadBytes);
  return { opcode: view.getUint8(0), contentBytes: uint64(view, 1) };
}

/** Exact below 2^53; no file comes near. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * One whole record, parsed with the checks that the format allows: lengths, UTF-8, the CRC of an
 * attachment.
 *
 * @throws {Error} that says what is wrong
 */
export function parseLogRecord(record: Uint8Array): McapTypes.TypedMcapRecord {
  const reader = new McapStreamReader({ noMagicPrefix: true, validateCrcs: true });
  reader.append(record);
  const parsed = reader.nextRecord();
  if (parsed === undefined) throw new Error("the record is incomplete");
  return parsed;
}

/**
 * Why a record without a checksum cannot be what its opcode says, judged by its lengths; undefined
 * if it can. Keeps a record with a damaged opcode or length from being read as another.
 */
export function lengthMismatch(record: Uint8Array): string | undefined {
  const { opcode, contentBytes } = readRecordHead(record);
  const expected = expectedBytes(opcode, viewOf(record), contentBytes);
  if (expected === undefined || expected === contentBytes) return undefined;
  return `record of opcode ${opcode} must have ${expected} bytes, has ${contentBytes}`;
}

/** Content bytes by the record's inner lengths; undefined where the opcode fixes none. */
function expectedBytes(opcode: number, view: DataView, contentBytes: number): number | undefined {
  const start = recordHeadBytes;
  switch (opcode) {
    case opcodes.HEADER:
      return skipStrings(view, start, 2) - start;
    case opcodes.FOOTER:
      return 20;
    case opcodes.DATA_END:
      return 4;
    case opcodes.SUMMARY_OFFSET:
      return 17;
    case opcodes.SCHEMA:
      return skipStrings(view, start + 2, 3) - start;
    case opcodes.CHANNEL:
      return skipStrings(view, start + 4, 3) - start;
    case opcodes.METADATA:
      return skipStrings(view, start, 2) - start;
    case opcodes.MESSAGE_INDEX:
      return contentBytes < 6 ? 6 : 6 + Math.ceil(view.getUint32(start + 2, true) / 16) * 16;
    case opcodes.MESSAGE:
      return Math.max(contentBytes, 22);
    case opcodes.ATTACHMENT: {
      const dataAt = skipStrings(view, start + 16, 2);
      return dataAt + 8 > view.byteLength
        ? dataAt + 8
        : dataAt + 8 + uint64(view, dataAt) + 4 - start;
    }
    default:
      return undefined;
  }
}

/** Where `count` fields of 32-bit length and content end; past the end where one does not fit. */
function skipStrings(view: DataView, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count; i++) {
    if (at + 4 > view.byteLength) return view.byteLength + 1;
    at += 4 + view.getUint32(at, true);
  }
  return at;
}
