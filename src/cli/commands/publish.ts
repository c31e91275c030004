import { type Command, InvalidArgumentError } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { brokerName } from "../../streams/mqtt/mqtt-connection.ts";
import { publishRecordings } from "../../streams/mqtt/publish-recordings.ts";
import { addBrokerOptions, type BrokerOptions, brokerOptions, qosOf } from "../broker-options.ts";
import { findRecordings } from "../find-recordings.ts";
import { grouped } from "../format/numbers.ts";
import { milliseconds } from "../late-options.ts";
import { wholeNumber } from "../model-options.ts";
import { stopSignal } from "../stop-signal.ts";

interface PublishCommandOptions extends BrokerOptions {
  readonly rate: number | "max";
  readonly delay: number;
  readonly seed: number;
}

/** `polyphase publish`: a recording instead of sensors. */
export function registerPublish(program: Command): void {
  const command = program
    .command("publish")
    .description("publish recordings to a broker as their sensors would have")
    .argument("<recording...>", "MCAP files, or directories of them");
  addBrokerOptions(command)
    .option("--rate <n>", "times real time, or max", rate, 1)
    .option(
      "--delay <ms>",
      "let messages be up to this late, at random, and so out of order",
      milliseconds,
      0,
    )
    .option("--seed <n>", "seed of the delays", wholeNumber, 1)
    .addHelpText(
      "after",
      `
Examples:
  polyphase publish fixtures/scenes/clean-307.mcap --mqtt mqtt://localhost
  polyphase publish day1.mcap --mqtt mqtt://localhost --rate 10 --delay 20`,
    )
    .action(publishCommand);
}

async function publishCommand(
  recordings: readonly string[],
  options: PublishCommandOptions,
): Promise<void> {
  const say = (message: string): void => console.error(`polyphase: ${message}`);
  const stop = stopSignal();
  const broker = await brokerOptions(options, say);
  const published = await publishRecordings({
    paths: await findRecordings(recordings),
    broker,
    prefix: options.topics,
    qos: qosOf(options),
    rate: options.rate,
    delayUs: Math.round(options.delay * 1000),
    seed: options.seed,
    stop,
    onRecording: (path) => say(`publishing ${path}`),
  });
  say(`published ${grouped(published)} items to ${options.topics}/# at ${brokerName(broker.url)}`);
  if (stop.aborted) throw new PolyphaseError("INTERRUPTED", "Interrupted: the rest was not sent");
}

/** Reads a rate for commander. */
function rate(text: string): number | "max" {
  if (text === "max") return text;
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number above 0, or max.");
}
