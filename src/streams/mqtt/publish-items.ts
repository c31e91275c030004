import type { MqttClient } from "mqtt";
import {
  count,
  firstValueFrom,
  map,
  mergeMap,
  type Observable,
  race,
  Subject,
  switchMap,
  tap,
  timer,
} from "rxjs";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import { mqttProperties } from "../../wire/cloud-event-headers.ts";
import { encodeItem } from "../../wire/item-codec.ts";
import type { Delivery } from "../source.ts";
import { brokerName, connectMqtt, type MqttOptions } from "./mqtt-connection.ts";
import { checkPrefix, topicOf } from "./mqtt-topic.ts";

export interface PublishOptions {
  readonly broker: MqttOptions;
  readonly prefix: string;
  readonly qos?: 0 | 1;
  /** How long to wait for the broker's answers when there is nothing more to send, ms. Default 5,000. */
  readonly closeTimeoutMs?: number;
}

/**
 * Publishes items as sensors would, with CloudEvents attributes; each delivery is acknowledged when
 * the broker has answered for it.
 *
 * @returns how many were published
 * @throws {PolyphaseError} BROKER_UNAVAILABLE, or what `deliveries` fails with
 */
export async function publishItems(
  deliveries: Observable<Delivery>,
  options: PublishOptions,
): Promise<number> {
  const { broker, closeTimeoutMs = 5000 } = options;
  const prefix = checkPrefix(options.prefix);
  const client = await connectMqtt(broker);
  const allSent = new Subject<void>();
  let unanswered = 0;
  const published = deliveries.pipe(
    tap({ complete: () => allSent.next() }),
    mergeMap(async ({ item, acknowledge }) => {
      unanswered++;
      await publish(client, item, { ...options, prefix });
      unanswered--;
      acknowledge();
    }),
    count(),
  );
  const timeout = allSent.pipe(
    switchMap(() => timer(closeTimeoutMs)),
    map((): never => {
      const where = `${brokerName(broker.url)} within ${closeTimeoutMs / 1000} s`;
      const message = `Cannot publish: ${unanswered} items were not taken by ${where}`;
      throw new PolyphaseError("BROKER_UNAVAILABLE", message);
    }),
  );
  try {
    return await firstValueFrom(race(published, timeout));
  } finally {
    await client.endAsync(!client.connected);
  }
}

async function publish(
  client: MqttClient,
  item: StreamItem,
  { broker, prefix, qos = 1 }: PublishOptions,
): Promise<void> {
  const properties = mqttProperties(item, `polyphase/${encodeURIComponent(item.stream)}`);
  const payload = encodeItem(item) as Buffer;
  try {
    await client.publishAsync(topicOf(prefix, item), payload, { qos, properties });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot publish to ${brokerName(broker.url)}: ${what}`;
    throw new PolyphaseError("BROKER_UNAVAILABLE", message, { cause });
  }
}
