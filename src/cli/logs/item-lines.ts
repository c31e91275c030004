import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { describeLogChannel } from "../../streams/log/describe-log-channel.ts";
import { ItemMessages } from "../../streams/log/item-messages.ts";
import { LogWriter, type LogWriterOptions } from "../../streams/log/log-writer.ts";
import type { LogChannel, LogEntry } from "../../streams/log/scan/log-entry.ts";
import { openLog, readLog } from "../../streams/log/scan/open-log.ts";
import { decodeItemLine, encodeItemLine } from "../../streams/ndjson/item-json.ts";
import { recordingMetadataName } from "../../streams/record/recording-channel.ts";
import { decodeItem } from "../../wire/item-codec.ts";
import { openTextOutput } from "./open-text-output.ts";

interface LinesOptions {
  readonly stop: AbortSignal;
  readonly onProgress?: (bytes: number, ofBytes: number) => void;
}

/** Messages that have no form in JSON. */
export interface LeftOut {
  readonly topic: string;
  readonly schema: string;
  readonly messages: number;
}

/**
 * Writes the items of a recording as lines of JSON, in file order, after a line of kind `recording`
 * with its metadata. `-` is stdout.
 *
 * @returns what was left out
 */
export async function writeItemLines(
  path: string,
  outPath: string,
  { stop, onProgress }: LinesOptions,
): Promise<readonly LeftOut[]> {
  const log = await openLog(path);
  const output = await openTextOutput(outPath);
  const left = new Map<LogChannel, number>();
  try {
    for await (const batch of readLog(log, (bytes) => onProgress?.(bytes, log.size))) {
      stopIfTold(stop);
      const lines = batch.flatMap((entry) => lineOf(entry, left));
      if (lines.length > 0) await output.write(`${lines.join("\n")}\n`);
    }
    await output.close();
  } catch (failure) {
    await output.abort();
    throw failure;
  } finally {
    await log.close();
  }
  return [...left].map(([{ topic, schema }, messages]) => {
    return { topic, schema: schema?.name ?? "", messages };
  });
}

function lineOf(entry: LogEntry, left: Map<LogChannel, number>): readonly string[] {
  if (entry.kind === "metadata" && entry.metadata.name === recordingMetadataName) {
    const metadata = Object.fromEntries(entry.metadata.metadata);
    return [JSON.stringify({ kind: "recording", metadata })];
  }
  if (entry.kind !== "message") return [];
  const { channel, sequence, logTime, data } = entry;
  const described = describeLogChannel(channel);
  if (described.kind === "unknown") {
    left.set(channel, (left.get(channel) ?? 0) + 1);
    return [];
  }
  const { schemaName, encoding } = described;
  const item = decodeItem(schemaName, encoding, data, described, sequence);
  return [encodeItemLine({ item, receivedUs: Number(logTime / 1000n) })];
}

/**
 * Writes a recording of lines of JSON as {@link writeItemLines} makes them.
 *
 * @throws {PolyphaseError} BAD_DATA with file and line for what is no item
 */
export async function readItemLines(
  path: string,
  outPath: string,
  options: Omit<LogWriterOptions, "profile"> & LinesOptions,
): Promise<void> {
  const writer = await LogWriter.create(outPath, { ...options, profile: "polyphase" });
  const input = createReadStream(path, "utf8");
  try {
    await once(input, "open");
    const messages = new ItemMessages();
    let number = 0;
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      stopIfTold(options.stop);
      if (line.trim() === "") continue;
      await writer.write(entryOf(line, messages, `${path}:${number}`));
    }
    await writer.close();
  } catch (failure) {
    await writer.abort();
    throw failure;
  } finally {
    input.destroy();
  }
}

function entryOf(line: string, messages: ItemMessages, place: string): LogEntry {
  try {
    const fields = JSON.parse(line);
    if (typeof fields !== "object" || fields === null) throw new Error("there must be an object");
    if (fields.kind !== "recording") {
      const { item, receivedUs } = decodeItemLine(fields);
      return messages.of(item, receivedUs);
    }
    const entries = Object.entries(fields.metadata ?? {}).map(([k, v]) => [k, String(v)] as const);
    return {
      kind: "metadata",
      metadata: { name: recordingMetadataName, metadata: new Map(entries) },
    };
  } catch (error) {
    const { message } = error as Error;
    throw new PolyphaseError("BAD_DATA", `${place}: ${message}`, { cause: error });
  }
}

function stopIfTold(stop: AbortSignal): void {
  if (stop.aborted) throw new PolyphaseError("INTERRUPTED", "Interrupted: nothing was written");
}
