import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { ByteMemory } from "../../sensors/byte-memory.ts";
import {
  createDvsEncoder,
  type EncodableFormat,
  encodableFormats,
} from "../../sensors/dvs/codecs/create-dvs-encoder.ts";
import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { DvsEncoder } from "../../sensors/dvs/codecs/dvs-encoder.ts";
import { type DvsPacket, dvsPacketView } from "../../sensors/dvs/dvs-packet.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { ItemMessages } from "../../streams/log/item-messages.ts";
import { LogWriter, type LogWriterOptions } from "../../streams/log/log-writer.ts";
import { livePacketLimits, splitDvsPacket } from "../../wire/split-dvs-packet.ts";
import { encodeCsv } from "./encode-csv.ts";

export type OutputFormat = EncodableFormat | "mcap" | "csv";

/** Formats that `events convert` writes. */
export const outputFormats: readonly OutputFormat[] = [...encodableFormats, "mcap", "csv"];

/** Where events go. Packets come in order of time. */
export interface EventSink {
  write(packet: DvsPacket): Promise<void>;
  /** What has been written is complete in the file afterwards. */
  close(): Promise<void>;
  /** Gives up: an output that would be incomplete is removed. */
  abort(): Promise<void>;
}

const formatByExtension: Readonly<Record<string, OutputFormat>> = {
  bin: "nmnist",
  es: "es",
  mcap: "mcap",
  csv: "csv",
};

/** The format to write: as told, else by the end of the file's name. */
export function outputFormat(path: string, told: OutputFormat | undefined): OutputFormat {
  const format = told ?? formatByExtension[path.slice(path.lastIndexOf(".") + 1).toLowerCase()];
  if (format !== undefined) return format;
  throw new PolyphaseError(
    "USAGE",
    `Cannot tell the format of ${path}: --to must be one of ${outputFormats.join(", ")}`,
  );
}

/** Opens a file to write events to; `-` is stdout. */
export async function openEventSink(
  path: string,
  format: OutputFormat,
  size: SensorSize,
): Promise<EventSink> {
  if (format === "mcap") return openRecordingSink(path);
  const encoder = format === "csv" ? undefined : createDvsEncoder(format, size);
  const stream = path === "-" ? process.stdout : await openOutput(path);
  return new FileEventSink(path, stream, encoder);
}

async function openOutput(path: string): Promise<Writable> {
  const stream = createWriteStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once("open", () => resolve());
    stream.once("error", (cause) => {
      reject(new PolyphaseError("FAILED", `Cannot write ${path}: ${cause.message}`, { cause }));
    });
  });
  return stream;
}

class FileEventSink implements EventSink {
  readonly #path: string;
  readonly #stream: Writable;
  readonly #encode: (packet: DvsPacket) => Uint8Array | string;
  #begun = false;
  readonly #header: Uint8Array | string;

  constructor(path: string, stream: Writable, encoder: DvsEncoder | undefined) {
    this.#path = path;
    this.#stream = stream;
    this.#header = encoder === undefined ? "t,x,y,p\n" : encoder.header();
    this.#encode = encoder === undefined ? encodeCsv : (packet) => encoder.encode(packet);
  }

  async write(packet: DvsPacket): Promise<void> {
    await this.#begin();
    await this.#put(this.#encode(packet));
  }

  async close(): Promise<void> {
    await this.#begin();
    if (this.#stream === process.stdout) return;
    this.#stream.end();
    await finished(this.#stream);
  }

  async abort(): Promise<void> {
    if (this.#stream === process.stdout) return;
    this.#stream.destroy();
    await rm(this.#path, { force: true });
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#put(this.#header);
  }

  async #put(data: Uint8Array | string): Promise<void> {
    if (data.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(data, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/** How a recording of a camera's events is written. */
export interface RecordingSinkOptions extends Omit<LogWriterOptions, "profile"> {
  readonly stream: string;
  readonly sensor: string;
}

/** A recording with one stream and its one sensor, a camera of events. */
export async function openRecordingSink(
  path: string,
  options: RecordingSinkOptions = { stream: "events", sensor: "dvs" },
): Promise<EventSink> {
  const { stream, sensor } = options;
  const writer = await LogWriter.create(path, { ...options, profile: "polyphase" });
  const messages = new ItemMessages();
  const memory = new ByteMemory();
  let seq = 0;
  return {
    async write(packet) {
      for (const part of splitDvsPacket(dvsPacketView(packet, 0, packet.count), livePacketLimits)) {
        const timeUs = part.timeUs[0]!;
        const item = { kind: "dvs", stream, sensor, timeUs, seq, packet: part } as const;
        seq++;
        await writer.write(messages.of(item, part.timeUs[part.count - 1]!, memory));
      }
    },
    close: () => writer.close(),
    abort: () => writer.abort(),
  };
}
