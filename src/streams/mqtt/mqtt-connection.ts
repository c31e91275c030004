import type { Socket } from "node:net";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { timer } from "rxjs";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** How a broker is reached. */
export interface MqttOptions {
  /** `mqtt://host:1883` or `mqtts://host:8883`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Default: one made up by the client library. */
  readonly clientId?: string;
  /** Certificates in PEM form, for `mqtts:`; without `ca` the system's authorities are believed. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** How long the first connection is tried, ms. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Hears when the connection is lost and found again. */
  readonly onState?: (state: "lost" | "found", detail: string) => void;
  /** Uniform in [0, 1), for the jitter between attempts. Default `Math.random`. */
  readonly random?: () => number;
}

/** Messages beyond it are refused by the broker: a 48×48 crop has 2.3 KB, a full packet of events 96 KiB. */
const packetBytesMax = 4 * 1024 * 1024;
const keepaliveSeconds = 15;
/** Attempts to reconnect are spread over 0 … this, doubled from the first to the last. */
const firstRetryMs = 50;
const lastRetryMs = 30_000;

/** CONNACK reason codes after which trying again is of no use: bad credentials, not authorized, … */
const hopeless: ReadonlySet<number> = new Set([1, 2, 4, 5, 129, 132, 133, 134, 135, 138, 140, 144]);

/**
 * Connects with MQTT 5, and stays connected: a lost connection is tried again after 0 … 50 ms, then
 * after twice that, up to 30 s, with full jitter, so that a fleet does not come back as one.
 *
 * @throws {PolyphaseError} BROKER_UNAVAILABLE if there is no connection within the time, or if the
 *   broker refuses it
 */
export async function connectMqtt(options: MqttOptions): Promise<MqttClient> {
  const client = connect(checkedUrl(options.url), clientOptions(options));
  keepReconnecting(client, options);
  try {
    await firstConnection(client, options);
  } catch (failure) {
    client.end(true);
    throw failure;
  }
  return client;
}

/** Where a broker is, without the password somebody may have put into the URL. */
export function brokerName(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

function checkedUrl(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol === "mqtt:" || protocol === "mqtts:") return url;
  throw new PolyphaseError(
    "USAGE",
    `Cannot connect: a broker is mqtt://host[:port] or mqtts://host[:port], got ${JSON.stringify(url)}`,
  );
}

function clientOptions(options: MqttOptions): IClientOptions {
  const { username, password, clientId, ca, certificate, key } = options;
  return {
    protocolVersion: 5,
    clean: true,
    keepalive: keepaliveSeconds,
    reconnectPeriod: firstRetryMs,
    properties: { maximumPacketSize: packetBytesMax },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

function keepReconnecting(
  client: MqttClient,
  { onState, random = Math.random }: MqttOptions,
): void {
  let longestMs = firstRetryMs;
  let state: "new" | "connected" | "lost" = "new";
  client.on("connect", () => {
    longestMs = firstRetryMs;
    if (state === "lost") onState?.("found", "");
    state = "connected";
    // Without it Nagle's algorithm holds small messages back for tens of milliseconds.
    (client.stream as Partial<Socket>).setNoDelay?.(true);
  });
  // The wait is read when the connection closes: this is the one before the next attempt.
  client.on("reconnect", () => {
    longestMs = Math.min(2 * longestMs, lastRetryMs);
    client.options.reconnectPeriod = 1 + Math.floor(random() * longestMs);
  });
  let reason = "the connection closed";
  client.on("error", (error) => {
    reason = error.message || String(error);
  });
  client.on("close", () => {
    if (state === "connected" && !client.disconnecting) {
      state = "lost";
      onState?.("lost", reason);
    }
    reason = "the connection closed";
  });
}

function firstConnection(client: MqttClient, options: MqttOptions): Promise<void> {
  const { url, connectTimeoutMs = 10_000 } = options;
  return new Promise((resolve, reject) => {
    let last: Error | undefined;
    const settle = (failure?: PolyphaseError): void => {
      timeout.unsubscribe();
      client.off("connect", onConnect);
      client.off("error", onError);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const unavailable = (what: string): PolyphaseError => {
      const message = `Cannot connect to ${brokerName(url)}: ${what}`;
      return new PolyphaseError("BROKER_UNAVAILABLE", message, { cause: last });
    };
    const onConnect = (): void => settle();
    const onError = (error: Error & { code?: unknown }): void => {
      last = error;
      if (typeof error.code === "number" && hopeless.has(error.code)) {
        settle(unavailable(error.message));
      }
    };
    const timeout = timer(connectTimeoutMs).subscribe(() => {
      const why = last === undefined ? "no answer" : last.message || String(last);
      settle(unavailable(`${why} (tried for ${connectTimeoutMs / 1000} s)`));
    });
    client.on("connect", onConnect);
    client.on("error", onError);
  });
}
