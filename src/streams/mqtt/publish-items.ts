import type { MqttClient } from "mqtt";
import type { Observable } from "rxjs";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { mqttProperties } from "../../wire/cloud-event-headers.ts";
import { encodeItem } from "../../wire/item-codec.ts";
import type { Delivery } from "../source.ts";
import { brokerName, connectMqtt, type MqttOptions } from "./mqtt-connection.ts";
import { checkPrefix, topicOf } from "./mqtt-topic.ts";

export interface PublishOptions {
  readonly broker: MqttOptions;
  readonly prefix: string;
  readonly qos?: 0 | 1;
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
  const prefix = checkPrefix(options.prefix);
  const client = await connectMqtt(options.broker);
  try {
    return await publishAll(client, deliveries, { ...options, prefix });
  } finally {
    await client.endAsync(!client.connected);
  }
}

function publishAll(
  client: MqttClient,
  deliveries: Observable<Delivery>,
  { broker, prefix, qos = 1 }: PublishOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let published = 0;
    let unanswered = 0;
    let complete = false;
    const fail = (cause: unknown): void => {
      subscription.unsubscribe();
      reject(cause);
    };
    const subscription = deliveries.subscribe({
      next: ({ item, acknowledge }) => {
        unanswered++;
        const properties = mqttProperties(item, `polyphase/${encodeURIComponent(item.stream)}`);
        const answered = (error?: Error | null): void => {
          if (error) {
            const message = `Cannot publish to ${brokerName(broker.url)}: ${error.message}`;
            fail(new PolyphaseError("BROKER_UNAVAILABLE", message, { cause: error }));
            return;
          }
          published++;
          unanswered--;
          acknowledge();
          if (complete && unanswered === 0) resolve(published);
        };
        const payload = encodeItem(item) as Buffer;
        client.publish(topicOf(prefix, item), payload, { qos, properties }, answered);
      },
      error: reject,
      complete: () => {
        complete = true;
        if (unanswered === 0) resolve(published);
      },
    });
  });
}
