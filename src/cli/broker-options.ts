import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { MqttOptions } from "../streams/mqtt/mqtt-connection.ts";
import { milliseconds } from "./late-options.ts";

/** Options of every command that talks to an MQTT broker. */
export interface BrokerOptions {
  readonly mqtt: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly connectTimeout: number;
  readonly topics: string;
  readonly qos: "0" | "1";
}

/** Where the password is read from if no file is named. Arguments are seen by every user of a machine. */
const passwordVariable = "POLYPHASE_MQTT_PASSWORD";

/** Adds --mqtt and what is needed to get in. */
export function addBrokerOptions(command: Command): Command {
  return command
    .requiredOption("--mqtt <url>", "the broker: mqtt://host:1883 or mqtts://host:8883")
    .option("--username <name>", "who to log in as")
    .option("--password-file <file>", `file with the password (or set ${passwordVariable})`)
    .option("--ca <file>", "certificate authority to believe, PEM (mqtts)")
    .option("--cert <file>", "certificate to show, PEM (mqtts)")
    .option("--key <file>", "its private key, PEM (mqtts)")
    .option("--connect-timeout <ms>", "how long to look for the broker", milliseconds, 10_000)
    .option(
      "--topics <prefix>",
      "sensors are under <prefix>/<stream>/<sensor>/…",
      "polyphase/sensors",
    )
    .addOption(
      new Option("--qos <n>", "1: sent again until the broker has answered; 0: sent once")
        .choices(["0", "1"])
        .default("1"),
    );
}

/** The connection that the options ask for. */
export async function brokerOptions(
  options: BrokerOptions,
  warn: (message: string) => void,
): Promise<MqttOptions> {
  const { mqtt: url, username } = options;
  const password =
    (await textOf(options.passwordFile, "password"))?.replace(/\r?\n$/, "") ??
    process.env[passwordVariable];
  const [ca, certificate, key] = await Promise.all([
    textOf(options.ca, "certificate authority"),
    textOf(options.cert, "certificate"),
    textOf(options.key, "key"),
  ]);
  return {
    url,
    connectTimeoutMs: options.connectTimeout,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    onState: (state, detail) => {
      if (state === "lost") warn(`lost the connection to the broker (${detail}); trying again`);
      if (state === "found") warn("found the broker again");
    },
  };
}

/** The quality of service that the options ask for. */
export function qosOf({ qos }: BrokerOptions): 0 | 1 {
  return qos === "1" ? 1 : 0;
}

async function textOf(path: string | undefined, what: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError("BAD_CONFIG", `Cannot read the ${what}: ${why}`, { cause });
  }
}
