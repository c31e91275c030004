import { randomUUID } from "node:crypto";
import { finished } from "node:stream/promises";
import { type Command, Option } from "commander";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { LatePolicy } from "../../streams/fuse/late-policy.ts";
import { brokerName, type MqttOptions } from "../../streams/mqtt/mqtt-connection.ts";
import { connectMqttSink } from "../../streams/mqtt/mqtt-sink.ts";
import { type MqttSourceOptions, mqttSource } from "../../streams/mqtt/mqtt-source.ts";
import { NdjsonSink } from "../../streams/ndjson/ndjson-sink.ts";
import type { Recorder } from "../../streams/record/recorder.ts";
import type { Sink } from "../../streams/sink.ts";
import type { Source } from "../../streams/source.ts";
import { teeSink } from "../../streams/tee-sink.ts";
import { EventCounts } from "../../telemetry/event-counts.ts";
import { rfc3339FromUs } from "../../wire/rfc3339.ts";
import { addBrokerOptions, type BrokerOptions, brokerOptions, qosOf } from "../broker-options.ts";
import {
  addBudgetOptions,
  addDecisionsOption,
  type BudgetOptions,
  openBudget,
} from "../budget-options.ts";
import { addCropOptions, type CropOptions, graphCroppers, openCrop } from "../crop-options.ts";
import { summaryText } from "../format/summary-text.ts";
import { addLateOptions, type LateOptions, latePolicy, milliseconds } from "../late-options.ts";
import { LiveReport } from "../live-report.ts";
import { chooseModel, prepareModel } from "../load-model.ts";
import { addModelOptions, type ModelOptions } from "../model-options.ts";
import { openOutput } from "../open-output.ts";
import {
  addRecordOptions,
  dumpOnSignal,
  openRecorder,
  type RecordOptions,
} from "../record/record-options.ts";
import { runLive, sensorChannels, systemTimeUs } from "../run-live.ts";
import { stopSignal } from "../stop-signal.ts";

/** Items in flight before the broker has to wait. */
const inFlightMax = 32_768;

interface RunCommandOptions
  extends ModelOptions,
    LateOptions,
    BudgetOptions,
    BrokerOptions,
    RecordOptions,
    CropOptions {
  readonly streams?: string;
  readonly predictions: string;
  readonly publish: boolean;
  readonly clock: "trusted" | "offset" | "offset+drift";
  readonly idle: number;
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly out?: string;
}

/** `polyphase run`: live sensors through a model, until it is told to stop. */
export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description("run a fusion graph on live sensors and publish its predictions");
  addDecisionsOption(
    addBudgetOptions(addRecordOptions(addLateOptions(addModelOptions(addBrokerOptions(command))))),
  );
  addCropOptions(command, "pictures come as the model takes them")
    .option("--streams <names>", "only these streams, separated by commas (default: all)")
    .option("--predictions <prefix>", "publish to <prefix>/<stream>", "polyphase/predictions")
    .option("--no-publish", "publish nothing")
    .addOption(
      new Option(
        "--clock <mode>",
        "trusted: sensors know the time; otherwise estimate their clocks",
      )
        .choices(["trusted", "offset", "offset+drift"])
        .default("trusted"),
    )
    .option("--idle <ms>", "wait this long for a silent sensor; 0: for ever", milliseconds, 2000)
    .option("--json", "print a summary object on stdout at the end and nothing else")
    .option("--ndjson", "print predictions on stdout, one JSON object per line")
    .option("-o, --out <file>", "write predictions to a file, one JSON object per line")
    .addHelpText(
      "after",
      `
Topics are <prefix>/<stream>/<sensor>/ and one of features/pb, frame/pb, picture/pb, events/pb,
events/json, scalars/pb, marker/json, status/json. The sensors of a stream are fused.
Ctrl-C or SIGTERM: reads no more, writes what is in flight, and ends with status 0.

Examples:
  polyphase run --model models/lips --mqtt mqtt://localhost
  polyphase run --model models/lips --mqtt mqtts://hub:8883 --ca ca.pem --username edge --lateness 20
  polyphase run --model nmnist --mqtt mqtt://localhost --streams lab --no-publish --ndjson | jq .label
  polyphase run --model models/lips --mqtt mqtt://localhost --record /var/log/lips --rotate-every 10m
  polyphase run --model models/lips --mqtt mqtt://localhost --record /tmp/lips --ring 60s   kill -USR2
  polyphase run --model models/lips --mqtt mqtt://localhost --crop detector --detector face.onnx`,
    )
    .action(runCommand);
}

async function runCommand(options: RunCommandOptions): Promise<void> {
  const name = checkedModelName(options);
  const broker = await brokerOptions(options, warn);
  const chosen = await chooseModel(name, options.seed);
  if (!chosen.trained) warn(`${chosen.stored.spec.name} has untrained weights (${chosen.origin})`);
  const model = await prepareModel(chosen.stored, options, warn);
  const budget = await openBudget(model.graph, options);
  const cropping = graphCroppers(model.graph, await openCrop(options, warn));
  const file = options.out === undefined ? undefined : await openOutput(options.out);
  const digest = new NdjsonSink(file ?? (options.ndjson === true ? process.stdout : undefined));
  const sinks: Sink[] = [digest];
  const late = latePolicy(options);
  const counts = new EventCounts();
  const report = new LiveReport(counts, warn);
  const atEnd: (() => unknown)[] = [() => report.stop()];
  try {
    if (options.publish) {
      const { predictions: prefix } = options;
      const published = await connectMqttSink({ broker, prefix, qos: qosOf(options) });
      sinks.push(published);
      // Where the run got so far, it has closed it and said what went wrong.
      atEnd.push(() => published.close().catch(() => undefined));
    }
    const recorder = await recorderOf(options, model, late);
    if (recorder !== undefined) atEnd.push(() => recorder.close());
    if (recorder !== undefined && options.ring !== undefined) {
      atEnd.push(dumpOnSignal(recorder, warn));
    }
    const summary = await runLive({
      source: liveSource(options, broker, sensorChannels(model, cropping.croppers), counts, report),
      model,
      weights: chosen.origin,
      sink: teeSink(sinks),
      digest,
      counts,
      latenessUs: Math.round(options.lateness * 1000),
      late,
      clock: options.clock,
      idleUs: Math.round(options.idle * 1000),
      ...(recorder === undefined ? {} : { recorder }),
      ...budget.request,
      ...cropping,
      stop: stopSignal(),
    });
    if (file !== undefined) await finished(file.end());
    await budget.close();
    if (options.json === true) process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`);
    else if (options.ndjson !== true) process.stdout.write(`${summaryText(summary)}\n`);
  } finally {
    for (const end of atEnd.reverse()) await end();
  }
}

/** @throws {PolyphaseError} USAGE for options that do not go together */
function checkedModelName({ json, ndjson, model }: RunCommandOptions): string {
  if (json === true && ndjson === true) {
    throw new PolyphaseError("USAGE", "Cannot print --json and --ndjson at once: choose one");
  }
  if (model !== undefined) return model;
  throw new PolyphaseError("USAGE", "Cannot run without a model: name one with --model");
}

function warn(message: string): void {
  console.error(`polyphase: ${message}`);
}

async function recorderOf(
  options: RunCommandOptions,
  model: FusionModel,
  late: LatePolicy,
): Promise<Recorder | undefined> {
  const { record } = options;
  if (record === undefined) return undefined;
  const startedAt = rfc3339FromUs(systemTimeUs()).replaceAll(":", "-");
  return openRecorder({ ...options, record }, startedAt, randomUUID(), model, late);
}

function liveSource(
  options: RunCommandOptions,
  broker: MqttOptions,
  channel: MqttSourceOptions["channel"],
  counts: EventCounts,
  report: LiveReport,
): Source {
  const { topics: prefix, streams } = options;
  return mqttSource({
    broker,
    prefix,
    ...(streams === undefined ? {} : { streams: streams.split(",") }),
    qos: qosOf(options),
    channel,
    inFlightMax,
    counts,
    onMalformed: (error, topic) => report.malformed(error, topic),
    onReady: () => warn(`listening to ${prefix}/# at ${brokerName(broker.url)}`),
    nowUs: systemTimeUs,
  });
}
