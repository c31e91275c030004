import type { IPublishPacket, MqttClient } from "mqtt";
import { Observable, type Subscriber } from "rxjs";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { EventCounts } from "../../telemetry/event-counts.ts";
import { decodeItem } from "../../wire/item-codec.ts";
import { schemaNames } from "../../wire/schema.ts";
import type { WireChannel } from "../../wire/wire-channel.ts";
import type { Delivery, Source } from "../source.ts";
import { brokerName, connectMqtt, type MqttOptions } from "./mqtt-connection.ts";
import { checkPrefix, parseTopic, topicFilter } from "./mqtt-topic.ts";

export interface MqttSourceOptions {
  readonly broker: MqttOptions;
  /** Topics are `<prefix>/<stream>/<sensor>/<what>/<encoding>`, see {@link parseTopic}. */
  readonly prefix: string;
  /** Only these streams. Default: all that there are. */
  readonly streams?: readonly string[];
  /** 1: the broker hands over again what it saw no answer to. 0: once at most. Default 1. */
  readonly qos?: 0 | 1;
  /** What a sensor's messages must be like: sizes and conventions the model wants. */
  readonly channel: (stream: string, sensor: string) => WireChannel;
  /** Deliveries that may be unacknowledged before the connection is no longer read. */
  readonly inFlightMax: number;
  /** Where messages are counted that cannot be read: as dropped, `malformed`. */
  readonly counts: EventCounts;
  /** Hears of each of them. */
  readonly onMalformed: (error: PolyphaseError, topic: string) => void;
  /** Called when the broker has accepted the subscription. */
  readonly onReady?: () => void;
  /** Processing time, for receive times. */
  readonly nowUs: () => TimeUs;
}

/**
 * Sensor messages of an MQTT broker as a source. It ends when it is unsubscribed from.
 *
 * Not durable: a message is answered for when it has been read, before its effect is. A message that
 * cannot be read is counted, reported and answered for; the broker would send it for ever otherwise.
 */
export function mqttSource(options: MqttSourceOptions): Source {
  return {
    open: () =>
      new Observable((subscriber) => {
        subscribe(options, subscriber).catch((error) => subscriber.error(error));
      }),
  };
}

async function subscribe(
  options: MqttSourceOptions,
  subscriber: Subscriber<Delivery>,
): Promise<void> {
  const { broker, streams, qos = 1, onReady } = options;
  const prefix = checkPrefix(options.prefix);
  const client = await connectMqtt(broker);
  // Not waited for: whoever unsubscribes wants no more, and a broker that is away must not hold it.
  subscriber.add(() => client.end(!client.connected));
  if (subscriber.closed) return;
  receive(client, options, subscriber);
  const filters = streams?.map((stream) => topicFilter(prefix, stream)) ?? [topicFilter(prefix)];
  const granted = await client.subscribeAsync(filters, { qos });
  const refused = granted.find((grant) => grant.qos >= 128);
  if (refused !== undefined) {
    const where = `${refused.topic} at ${brokerName(broker.url)}`;
    const message = `Cannot subscribe to ${where}: refused with reason ${refused.qos}`;
    throw new PolyphaseError("BROKER_UNAVAILABLE", message);
  }
  onReady?.();
}

/** Reads one message at a time; while too many are in flight, the socket is not read any further. */
function receive(
  client: MqttClient,
  options: MqttSourceOptions,
  subscriber: Subscriber<Delivery>,
): void {
  const { inFlightMax, nowUs } = options;
  const seqs = new SeqReader();
  let inFlight = 0;
  let readOn: (() => void) | undefined;
  const acknowledge = (): void => {
    inFlight--;
    // Cleared before it is called: the next message may come, and wait, within the call.
    const resume = readOn;
    readOn = undefined;
    resume?.();
  };
  client.handleMessage = (packet, done) => {
    const receivedUs = nowUs();
    const item = decode(packet, options, seqs);
    if (item !== undefined && !subscriber.closed) {
      inFlight++;
      subscriber.next({ item, receivedUs, acknowledge });
    }
    if (inFlight < inFlightMax) done();
    else readOn = done;
  };
}

/** @returns undefined for a message that cannot be read, which has then been counted and reported */
function decode(
  packet: IPublishPacket,
  { prefix, channel, counts, onMalformed }: MqttSourceOptions,
  seqs: SeqReader,
): StreamItem | undefined {
  const { topic, payload } = packet;
  try {
    const { stream, sensor, schemaName, encoding } = parseTopic(prefix, topic);
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const seq = seqs.read(packet);
    const described = { ...channel(stream, sensor), ...pictureConvention(schemaName, packet) };
    return decodeItem(schemaName, encoding, bytes, described, seq);
  } catch (error) {
    if (!(error instanceof PolyphaseError)) throw error;
    counts.take(1);
    counts.drop("malformed", 1);
    onMalformed(error, topic);
    return undefined;
  }
}

/** How a picture was cut, from the CloudEvents extension attribute: its schemas have no field for it. */
function pictureConvention(
  schemaName: string,
  { properties }: IPublishPacket,
): Pick<WireChannel, "convention"> {
  const convention = properties?.userProperties?.["convention"];
  const isPicture =
    schemaName === schemaNames.rawImage || schemaName === schemaNames.compressedImage;
  return isPicture && typeof convention === "string" ? { convention } : {};
}

/**
 * The sequence number of messages whose schema has no field for one: from the CloudEvents id
 * `<sensor>:<seq>`. Without an id, messages are counted per topic as they come: then neither a
 * duplicate nor a gap can be seen.
 */
class SeqReader {
  readonly #received: Map<string, number> = new Map();

  read({ topic, properties }: IPublishPacket): number {
    const id = properties?.userProperties?.["id"];
    const digits = typeof id === "string" ? /:(\d{1,15})$/.exec(id)?.[1] : undefined;
    if (digits !== undefined) return Number(digits);
    const seq = this.#received.get(topic) ?? 0;
    this.#received.set(topic, seq + 1);
    return seq;
  }
}
