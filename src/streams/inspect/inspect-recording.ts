import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Marker } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { decodeItem } from "../../wire/item-codec.ts";
import { schemaNames } from "../../wire/schema.ts";
import { describeLogChannel } from "../log/describe-log-channel.ts";
import type { LogChannel, LogMessage } from "../log/scan/log-entry.ts";
import { openLog, readLog } from "../log/scan/open-log.ts";
import { recordingMetadataName } from "../record/recording-channel.ts";
import type { RecordedChannel, UnknownChannel } from "../replay/recorded-channel.ts";
import { SensorMeter, type SensorStatistics, type StreamProgress } from "./sensor-statistics.ts";

/** One sensor and what it did. */
export interface InspectedSensor extends SensorStatistics {
  readonly channel: RecordedChannel;
}

/** How much of a recording a channel is. */
export interface ChannelSize {
  readonly topic: string;
  readonly schema: string;
  readonly messages: number;
  /** Bytes of its messages before compression. */
  readonly bytes: number;
}

/** What is in a recording. */
export interface Inspection {
  readonly metadata: Readonly<Record<string, string>>;
  readonly sensors: readonly InspectedSensor[];
  /** In file order. */
  readonly markers: readonly Marker[];
  readonly channels: readonly ChannelSize[];
  readonly keyframes: number;
  readonly fileBytes: number;
  readonly firstReceivedUs: TimeUs | undefined;
  readonly lastReceivedUs: TimeUs | undefined;
}

/**
 * Reads a recording once from front to back, in constant memory but for its markers.
 *
 * @param onProgress hears how far the reading is, in bytes
 * @throws {PolyphaseError} BAD_RECORDING for damage, BAD_EVENT for an item that does not decode
 */
export async function inspectRecording(
  path: string,
  onProgress?: (bytes: number, ofBytes: number) => void,
): Promise<Inspection> {
  const log = await openLog(path);
  const inspector = new Inspector(path);
  let metadata: Record<string, string> = {};
  try {
    for await (const batch of readLog(log, (bytes) => onProgress?.(bytes, log.size))) {
      for (const entry of batch) {
        if (entry.kind === "channel") inspector.channel(entry.channel);
        else if (entry.kind === "message") inspector.message(entry);
        else if (entry.kind === "metadata" && entry.metadata.name === recordingMetadataName) {
          metadata = { ...Object.fromEntries(entry.metadata.metadata), ...metadata };
        }
      }
    }
  } finally {
    await log.close();
  }
  return { metadata, fileBytes: log.size, ...inspector.end() };
}

/** What is known of a channel while it is read. */
interface Inspected {
  readonly channel: RecordedChannel | UnknownChannel;
  readonly meter: SensorMeter | undefined;
  messages: number;
  bytes: number;
}

class Inspector {
  readonly #path: string;
  readonly #channels = new Map<LogChannel, Inspected>();
  readonly #streams = new Map<string, StreamProgress>();
  readonly #markers: Marker[] = [];
  #firstReceivedUs: TimeUs = Number.POSITIVE_INFINITY;
  #lastReceivedUs: TimeUs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  channel(channel: LogChannel): Inspected {
    const known = this.#channels.get(channel);
    if (known !== undefined) return known;
    const described = describeLogChannel(channel);
    const meter = isSensor(described) ? new SensorMeter(this.#stream(described.stream)) : undefined;
    const inspected: Inspected = { channel: described, meter, messages: 0, bytes: 0 };
    this.#channels.set(channel, inspected);
    return inspected;
  }

  message(message: LogMessage): void {
    const inspected = this.channel(message.channel);
    inspected.messages++;
    inspected.bytes += message.data.byteLength;
    const receivedUs = Number(message.logTime / 1000n);
    this.#firstReceivedUs = Math.min(this.#firstReceivedUs, receivedUs);
    this.#lastReceivedUs = Math.max(this.#lastReceivedUs, receivedUs);
    const { channel, meter } = inspected;
    if (channel.kind === "unknown" || channel.kind === "status") return;
    const item = this.#decode(message, channel, receivedUs);
    if (item.kind === "marker") this.#markers.push(item);
    else if (item.kind !== "status") meter?.add(item, receivedUs);
  }

  end(): Omit<Inspection, "metadata" | "fileBytes"> {
    const all = [...this.#channels.values()];
    const sensors = all.flatMap(({ channel, meter, messages }): InspectedSensor[] =>
      channel.kind === "unknown" || meter === undefined || messages === 0
        ? []
        : [{ channel, ...meter.end() }],
    );
    const isEmpty = this.#firstReceivedUs === Number.POSITIVE_INFINITY;
    return {
      sensors,
      markers: this.#markers,
      channels: all.map(({ channel, messages, bytes }) => {
        return { topic: channel.topic, schema: channel.schemaName, messages, bytes };
      }),
      keyframes: all.reduce((sum, { channel, messages }) => {
        return sum + (channel.schemaName === schemaNames.keyframe ? messages : 0);
      }, 0),
      firstReceivedUs: isEmpty ? undefined : this.#firstReceivedUs,
      lastReceivedUs: isEmpty ? undefined : this.#lastReceivedUs,
    };
  }

  #decode(message: LogMessage, channel: RecordedChannel, receivedUs: TimeUs) {
    const { schemaName, encoding, topic } = channel;
    try {
      return decodeItem(schemaName, encoding, message.data, channel, message.sequence);
    } catch (error) {
      if (!(error instanceof PolyphaseError)) throw error;
      const place = `topic ${topic}, log time ${receivedUs} µs, sequence ${message.sequence}`;
      throw new PolyphaseError(error.code, `${this.#path}, ${place}: ${error.message}`, {
        cause: error,
      });
    }
  }

  #stream(name: string): StreamProgress {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { newestUs: Number.NEGATIVE_INFINITY };
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

function isSensor(channel: RecordedChannel | UnknownChannel): channel is RecordedChannel {
  return channel.kind !== "unknown" && channel.kind !== "marker" && channel.kind !== "status";
}
