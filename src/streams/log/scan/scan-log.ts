import type { McapTypes } from "@mcap/core";
import type { ByteWindow } from "./byte-window.ts";
import { findRecord } from "./find-record.ts";
import { isDefinition, LogDefinitions } from "./log-definitions.ts";
import type { LogEntry, Loss, LossReason } from "./log-entry.ts";
import {
  lengthMismatch,
  opcodes,
  parseLogRecord,
  readRecordHead,
  recordHeadBytes,
  viewOf,
} from "./log-record.ts";
import { isMagic, type LogSummary } from "./log-summary.ts";
import { isChunkHead, readLogChunk, readMessage } from "./read-log-chunk.ts";

const magicBytes = 8;
/** Enough of a record to tell whether it is a chunk. */
const chunkHeadBytes = 64;
/** No writer makes such chunks; a damaged length does. */
const recordBytesMax = 1024 * 1024 * 1024;

export interface ScanOptions {
  readonly handlers: McapTypes.DecompressHandlers;
  /** Hears of everything that cannot be used; the scan goes on behind it unless it throws. */
  readonly onLoss: (loss: Loss) => void;
  /** What {@link readLogSummary} said. */
  readonly summary: LogSummary | string;
  /** Definitions known beforehand: for messages whose own were lost. */
  readonly definitions?: LogDefinitions;
  /** True if the file's messages are in chunks: those outside are not believed. */
  readonly hasChunks: boolean;
  /** Hears of every chunk that is whole. */
  readonly onChunk?: () => void;
  /** Hears how far the scan is, in bytes. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Everything in an MCAP file from front to back, in batches, without its index. Memory is bounded by
 * the largest chunk. A damaged part is reported and passed over: the next chunk that is whole is
 * found by its form, and what a checksum covers is only believed if the checksum is right.
 */
export async function* scanLog(
  window: ByteWindow,
  options: ScanOptions,
): AsyncGenerator<readonly LogEntry[], void, void> {
  yield* new LogScan(window, options).run();
}

class LogScan {
  readonly #window: ByteWindow;
  readonly #options: ScanOptions;
  readonly #definitions: LogDefinitions;
  /** A lost chunk whose messages the indexes behind it may count. */
  #pending: Loss | undefined;
  #at = magicBytes;
  #hasEnded = false;

  constructor(window: ByteWindow, options: ScanOptions) {
    this.#window = window;
    this.#options = options;
    this.#definitions = options.definitions ?? new LogDefinitions();
  }

  async *run(): AsyncGenerator<readonly LogEntry[], void, void> {
    const { summary, onProgress } = this.#options;
    const { size } = this.#window;
    if (!isMagic(await this.#window.view(0, magicBytes))) {
      this.#lose("not-mcap", 0, Math.min(size, magicBytes), "it does not begin as an MCAP file");
    }
    while (this.#at < size) {
      const entries = await this.#readRecord();
      if (entries.length > 0) yield entries;
      onProgress?.(Math.min(this.#at, size));
      if (!this.#hasEnded) continue;
      if (typeof summary !== "string") break;
      // Another recording may follow, or the end was none.
      this.#hasEnded = false;
      await this.#resynchronise("summary-missing", summary);
    }
    this.#flush();
    if (!this.#hasEnded) {
      const detail = typeof summary === "string" ? summary : "there is no end of data";
      this.#lose("summary-missing", size, size, detail, 0);
    }
  }

  /** Reads the record at `#at` and goes on behind it, or behind what is damaged. */
  async #readRecord(): Promise<readonly LogEntry[]> {
    const at = this.#at;
    const { size } = this.#window;
    const head = await this.#window.view(at, chunkHeadBytes);
    if (head.length < recordHeadBytes) {
      this.#lose("cut-off", at, size, "the file ends inside a record");
      this.#at = size;
      return [];
    }
    const { opcode, contentBytes } = readRecordHead(head);
    const end = at + recordHeadBytes + contentBytes;
    if (opcode === 0 || contentBytes > recordBytesMax || end > size) {
      await this.#resynchronise("record-damaged", describe(opcode, at, end, size));
      return [];
    }
    if (opcode === opcodes.CHUNK && !isChunkHead(head, contentBytes)) {
      await this.#resynchronise("chunk-damaged", "its lengths contradict each other");
      return [];
    }
    const record = await this.#window.view(at, end - at);
    const mismatch = record.length < end - at ? "the file shrank" : lengthMismatch(record);
    if (mismatch !== undefined) {
      await this.#resynchronise("record-damaged", mismatch);
      return [];
    }
    this.#at = end;
    if (opcode !== opcodes.MESSAGE_INDEX) this.#flush();
    return this.#take(opcode, record, at, end);
  }

  #take(opcode: number, record: Uint8Array, at: number, end: number): readonly LogEntry[] {
    switch (opcode) {
      case opcodes.CHUNK:
        return this.#takeChunk(record, at, end);
      case opcodes.MESSAGE:
        return this.#takeMessage(record.slice(recordHeadBytes), at, end);
      case opcodes.MESSAGE_INDEX:
        this.#countLost(viewOf(record).getUint32(recordHeadBytes + 2, true) / 16);
        return [];
      case opcodes.DATA_END:
        this.#hasEnded = true;
        return [];
      case opcodes.HEADER:
      case opcodes.SCHEMA:
      case opcodes.CHANNEL:
      case opcodes.METADATA:
      case opcodes.ATTACHMENT:
        return this.#takeOther(opcode, record, at, end);
      default:
        this.#pending = {
          ...{ reason: "unknown-record", from: at, to: end, isChunk: false, messages: undefined },
          detail: `a record of opcode ${opcode} has no place among the data`,
        };
        return [];
    }
  }

  #takeChunk(record: Uint8Array, at: number, end: number): readonly LogEntry[] {
    try {
      const { handlers } = this.#options;
      const { entries, orphans, broken } = readLogChunk(record, handlers, this.#definitions);
      this.#options.onChunk?.();
      if (broken !== undefined) this.#lose("chunk-damaged", at, end, broken);
      if (orphans > 0) {
        this.#lose("channel-unknown", at, end, "nothing intact describes their channel", orphans);
      }
      return entries;
    } catch (error) {
      const detail = (error as Error).message;
      const loss = { reason: "chunk-damaged", from: at, to: end, detail } as const;
      this.#pending = { ...loss, isChunk: true, messages: undefined };
      return [];
    }
  }

  #takeMessage(content: Uint8Array, at: number, end: number): readonly LogEntry[] {
    if (this.#options.hasChunks) {
      this.#lose("outside-chunk", at, end, "a message outside of the chunks has no checksum", 1);
      return [];
    }
    const message = readMessage(content, this.#definitions);
    if (message !== undefined) return [message];
    this.#lose("channel-unknown", at, end, "nothing intact describes its channel", 1);
    return [];
  }

  #takeOther(opcode: number, record: Uint8Array, at: number, end: number): readonly LogEntry[] {
    try {
      if (isDefinition(opcode)) {
        const channel = this.#definitions.add(record);
        return channel === undefined ? [] : [{ kind: "channel", channel }];
      }
      const parsed = parseLogRecord(record);
      if (parsed.type === "Header") return [{ kind: "header", ...parsed }];
      if (parsed.type === "Metadata") return [{ kind: "metadata", metadata: parsed }];
      if (parsed.type === "Attachment") return [{ kind: "attachment", attachment: parsed }];
    } catch (error) {
      this.#lose("record-damaged", at, end, (error as Error).message);
    }
    return [];
  }

  /** What is at `#at` is no record: goes on at the next one. */
  async #resynchronise(reason: LossReason, detail: string): Promise<void> {
    this.#flush();
    const from = this.#at;
    const looseMessages = !this.#options.hasChunks;
    const found = await findRecord(this.#window, from + 1, looseMessages, this.#definitions);
    const to = found ?? this.#window.size;
    this.#at = to;
    if (reason === "summary-missing") {
      // Behind the end of data lies only what is written anew, unless more data follows.
      this.#hasEnded = found === undefined;
      this.#lose(found === undefined ? reason : "garbage", from, to, detail, 0);
    } else {
      this.#lose(found === undefined ? "cut-off" : reason, from, to, detail);
    }
  }

  #countLost(messages: number): void {
    if (this.#pending === undefined) return;
    this.#pending = { ...this.#pending, messages: (this.#pending.messages ?? 0) + messages };
  }

  #flush(): void {
    const loss = this.#pending;
    this.#pending = undefined;
    if (loss !== undefined) this.#options.onLoss(loss);
  }

  #lose(reason: LossReason, from: number, to: number, detail: string, messages?: number): void {
    this.#options.onLoss({
      reason,
      from,
      to,
      detail,
      messages,
      isChunk: reason === "chunk-damaged",
    });
  }
}

function describe(opcode: number, at: number, end: number, size: number): string {
  if (opcode === 0) return "there is no record, but a zero";
  const what = `the record of opcode ${opcode} at byte ${at}`;
  return end > size ? `${what} passes the end of the file` : `${what} has ${end - at} bytes`;
}
