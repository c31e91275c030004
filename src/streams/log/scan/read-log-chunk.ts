import type { McapTypes } from "@mcap/core";
import { unpackChunk } from "../../replay/read-chunk.ts";
import { isDefinition, type LogDefinitions } from "./log-definitions.ts";
import type { LogEntry } from "./log-entry.ts";
import { lengthMismatch, opcodes, readRecordHead, recordHeadBytes, viewOf } from "./log-record.ts";

/** Start time, end time, uncompressed size, CRC, length of the compression's name. */
const chunkFixedBytes = 8 + 8 + 8 + 4 + 4;
const messageFixedBytes = 22;

/** What could be read of a chunk. */
export interface ReadLogChunk {
  readonly entries: readonly LogEntry[];
  /** Messages of channels that nothing defines. */
  readonly orphans: number;
  /** Why the rest could not be read: the writer wrote it so, since the CRC is right. */
  readonly broken: string | undefined;
}

/**
 * True if the bytes can begin a chunk record of `contentBytes`: the length of what it holds leaves
 * nothing over. A damaged opcode or length passes this once in 2^40.
 *
 * @param head of the record, as much as there is of its first 64 bytes
 */
export function isChunkHead(head: Uint8Array, contentBytes: number): boolean {
  const nameLengthAt = recordHeadBytes + chunkFixedBytes - 4;
  if (head[0] !== opcodes.CHUNK || head.length < nameLengthAt + 4 + 8) return false;
  const view = viewOf(head);
  const nameBytes = view.getUint32(nameLengthAt, true);
  const recordsAt = nameLengthAt + 4 + nameBytes;
  if (nameBytes > 16 || recordsAt + 8 > head.length) return false;
  const recordsBytes =
    view.getUint32(recordsAt + 4, true) * 2 ** 32 + view.getUint32(recordsAt, true);
  return chunkFixedBytes + nameBytes + 8 + recordsBytes === contentBytes;
}

/**
 * The channels and messages in a chunk record, in order; definitions in it are added.
 *
 * @throws {Error} if it cannot be unpacked or its CRC is wrong
 */
export function readLogChunk(
  record: Uint8Array,
  handlers: McapTypes.DecompressHandlers,
  definitions: LogDefinitions,
): ReadLogChunk {
  const bytes = unpackChunk(record, handlers);
  const entries: LogEntry[] = [];
  let orphans = 0;
  for (let at = 0; at < bytes.length; ) {
    const record = recordAt(bytes, at);
    if (typeof record === "string") return { entries, orphans, broken: record };
    const entry = readEntry(record, definitions);
    if (entry === "orphan") orphans++;
    else if (entry !== undefined) entries.push(entry);
    at += record.length;
  }
  return { entries, orphans, broken: undefined };
}

/** The record that begins at `at`, or why there is none. */
function recordAt(bytes: Uint8Array, at: number): Uint8Array | string {
  const rest = bytes.subarray(at);
  if (rest.length < recordHeadBytes) return `it ends inside the record at its byte ${at}`;
  const end = recordHeadBytes + readRecordHead(rest).contentBytes;
  if (end > rest.length) return `its record at byte ${at} passes its end`;
  const record = rest.subarray(0, end);
  return lengthMismatch(record) ?? record;
}

/** Undefined for a record that tells nothing new. */
function readEntry(
  record: Uint8Array,
  definitions: LogDefinitions,
): LogEntry | "orphan" | undefined {
  const opcode = record[0]!;
  if (opcode === opcodes.MESSAGE) {
    return readMessage(record.subarray(recordHeadBytes), definitions) ?? "orphan";
  }
  const channel = isDefinition(opcode) ? definitions.add(record, true) : undefined;
  return channel && { kind: "channel", channel };
}

/** The message in a record's content; undefined if nothing defines its channel. */
export function readMessage(
  content: Uint8Array,
  definitions: LogDefinitions,
): LogEntry | undefined {
  const view = viewOf(content);
  const channel = definitions.channel(view.getUint16(0, true));
  if (channel === undefined) return undefined;
  return {
    kind: "message",
    channel,
    sequence: view.getUint32(2, true),
    logTime: view.getBigUint64(6, true),
    publishTime: view.getBigUint64(14, true),
    data: content.subarray(messageFixedBytes),
  };
}
