import type { MqttClient } from "mqtt";
import { firstValueFrom, from, map, race, timer } from "rxjs";
import type { Prediction } from "../../fusion/prediction.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Sink } from "../sink.ts";
import { brokerName, connectMqtt, type MqttOptions } from "./mqtt-connection.ts";
import { checkPrefix, streamTopic } from "./mqtt-topic.ts";

export interface MqttSinkOptions {
  readonly broker: MqttOptions;
  /** Predictions of a stream go to `<prefix>/<stream>`. */
  readonly prefix: string;
  /** 1: a write is over when the broker has answered for it. Default 1. */
  readonly qos?: 0 | 1;
  /** How long `close` waits for the broker to answer for what was written, ms. Default 5,000. */
  readonly closeTimeoutMs?: number;
}

/**
 * Publishes each prediction as one JSON object: the bytes of its NDJSON line. While the broker is
 * away a write waits, and so does the pipeline behind it.
 *
 * @throws {PolyphaseError} BROKER_UNAVAILABLE
 */
export async function connectMqttSink(options: MqttSinkOptions): Promise<Sink> {
  const prefix = checkPrefix(options.prefix);
  return new MqttSink(await connectMqtt(options.broker), { ...options, prefix });
}

class MqttSink implements Sink {
  readonly #client: MqttClient;
  readonly #options: MqttSinkOptions;
  #unanswered = 0;

  constructor(client: MqttClient, options: MqttSinkOptions) {
    this.#client = client;
    this.#options = options;
  }

  async write(predictions: readonly Prediction[]): Promise<void> {
    await Promise.all(predictions.map((prediction) => this.#publish(prediction)));
  }

  async #publish(prediction: Prediction): Promise<void> {
    const { prefix, qos = 1, broker } = this.#options;
    const topic = streamTopic(prefix, prediction.stream);
    this.#unanswered++;
    try {
      await this.#client.publishAsync(topic, JSON.stringify(prediction), {
        qos,
        properties: { contentType: "application/json" },
      });
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : String(cause);
      const message = `Cannot publish to ${topic} at ${brokerName(broker.url)}: ${what}`;
      throw new PolyphaseError("BROKER_UNAVAILABLE", message, { cause });
    } finally {
      this.#unanswered--;
    }
  }

  async close(): Promise<void> {
    const { closeTimeoutMs = 5000, broker } = this.#options;
    // Without force, `end` sends what is queued first, and waits for the answers.
    const timeout = timer(closeTimeoutMs).pipe(map(() => "timeout" as const));
    const ended = await firstValueFrom(race(from(this.#client.endAsync()), timeout));
    if (ended !== "timeout") return;
    this.#client.end(true);
    const where = `${brokerName(broker.url)} within ${closeTimeoutMs / 1000} s`;
    const message = `Cannot close: ${this.#unanswered} predictions were not taken by ${where}`;
    throw new PolyphaseError("BROKER_UNAVAILABLE", message);
  }
}
