import { crc32 } from "node:zlib";
import { McapConstants } from "@mcap/core";
import type { ByteWindow } from "./byte-window.ts";
import { isDefinition, LogDefinitions } from "./log-definitions.ts";
import {
  opcodes,
  parseLogRecord,
  readRecordHead,
  recordHeadBytes,
  uint64,
  viewOf,
} from "./log-record.ts";

const magicBytes = McapConstants.MCAP_MAGIC.length;
const footerBytes = recordHeadBytes + 20;
/** A summary of this size describes some millions of chunks. */
const summaryBytesMax = 512 * 1024 * 1024;

/** What a file says about itself at its end. */
export interface LogSummary {
  readonly definitions: LogDefinitions;
  /** Where its data ends and the summary begins. */
  readonly startsAt: number;
  /** Undefined where the writer kept no statistics. */
  readonly messageCount: number | undefined;
  readonly hasChunks: boolean;
}

/** True if `bytes` are the eight that begin and end an MCAP file. */
export function isMagic(bytes: Uint8Array): boolean {
  return (
    bytes.length === magicBytes && McapConstants.MCAP_MAGIC.every((byte, i) => byte === bytes[i])
  );
}

/**
 * The summary at the end of a file, checked by its CRC. A string says why there is none that can be
 * believed.
 */
export async function readLogSummary(window: ByteWindow): Promise<LogSummary | string> {
  const { size } = window;
  const tail = await window.view(Math.max(0, size - footerBytes - magicBytes), size);
  if (!isMagic(tail.subarray(Math.max(0, tail.length - magicBytes)))) {
    return "the file does not end as an MCAP file";
  }
  if (tail.length < footerBytes + magicBytes || tail[0] !== opcodes.FOOTER) {
    return "there is no footer";
  }
  const footer = viewOf(tail);
  const startsAt = uint64(footer, recordHeadBytes);
  const expectedCrc = footer.getUint32(recordHeadBytes + 16, true);
  const endsAt = size - footerBytes - magicBytes;
  if (startsAt === 0) {
    return {
      definitions: new LogDefinitions(),
      startsAt: endsAt,
      messageCount: undefined,
      hasChunks: false,
    };
  }
  if (startsAt > endsAt || size - startsAt > summaryBytesMax) {
    return `the footer says that the summary begins at byte ${startsAt}`;
  }
  // The CRC covers the footer up to itself.
  const bytes = await window.view(startsAt, size - startsAt);
  const crc = crc32(bytes.subarray(0, size - startsAt - magicBytes - 4));
  if (expectedCrc !== 0 && crc !== expectedCrc) {
    return `the summary's CRC must be ${expectedCrc}, got ${crc}`;
  }
  try {
    return parseSummary(bytes.subarray(0, endsAt - startsAt), startsAt);
  } catch (error) {
    return `the summary does not parse: ${(error as Error).message}`;
  }
}

function parseSummary(bytes: Uint8Array, startsAt: number): LogSummary {
  const definitions = new LogDefinitions();
  let messageCount: number | undefined;
  let hasChunks = false;
  for (let at = 0; at + recordHeadBytes <= bytes.length; ) {
    const { opcode, contentBytes } = readRecordHead(bytes.subarray(at));
    const end = at + recordHeadBytes + contentBytes;
    if (end > bytes.length) throw new Error(`the record at byte ${startsAt + at} passes its end`);
    const record = bytes.subarray(at, end);
    if (isDefinition(opcode)) definitions.add(record);
    hasChunks ||= opcode === opcodes.CHUNK_INDEX;
    if (opcode === opcodes.STATISTICS) {
      const statistics = parseLogRecord(record);
      if (statistics.type === "Statistics") {
        messageCount = Number(statistics.messageCount);
        hasChunks ||= statistics.chunkCount > 0;
      }
    }
    at = end;
  }
  return { definitions, startsAt, messageCount, hasChunks };
}
