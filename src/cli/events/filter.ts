import { type Command, InvalidArgumentError } from "commander";
import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import { createBackgroundActivityFilter } from "../../sensors/dvs/filters/background-activity.ts";
import { createDownsampleFilter } from "../../sensors/dvs/filters/downsample.ts";
import type { DvsFilter } from "../../sensors/dvs/filters/dvs-filter.ts";
import { createHotPixelFilter, HotPixelLearner } from "../../sensors/dvs/filters/hot-pixel.ts";
import { createPolarityFilter } from "../../sensors/dvs/filters/polarity.ts";
import { createRateLimitFilter } from "../../sensors/dvs/filters/rate-limit.ts";
import { createRefractoryFilter } from "../../sensors/dvs/filters/refractory.ts";
import { createRegionFilter, type Region } from "../../sensors/dvs/filters/region.ts";
import { PacketMemory } from "../../sensors/dvs/packet-memory.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { grouped } from "../format/numbers.ts";
import { addOutputOptions, type OutputOptions } from "./convert.ts";
import { sourceOptions } from "./event-options.ts";
import { openEventSink, outputFormat } from "./event-sink.ts";
import { openEventSource } from "./open-event-source.ts";
import { createTimeShift } from "./time-origin.ts";
import { writeEvents } from "./write-events.ts";

interface FilterOptions extends OutputOptions {
  readonly hotPixels?: number;
  readonly polarity?: "on" | "off";
  readonly roi?: Region;
  readonly refractory?: number;
  readonly background?: number;
  readonly downsample?: number;
  readonly rate?: number;
}

/** What makes one filter once the size of what comes before it is known. */
interface FilterStep {
  readonly name: string;
  create(size: SensorSize): DvsFilter;
}

/** Events that may come at once under `--rate`: what 10 ms of it let through. */
const burstSeconds = 0.01;

/** `polyphase events filter`: fewer events. */
export function registerEventsFilter(events: Command): void {
  addOutputOptions(
    events
      .command("filter")
      .description("write the events that pass; filters apply in the order of this list")
      .argument("<file>", "event-camera file, MCAP or rosbag2 recording")
      .argument("<output>", "file to write; - is stdout"),
  )
    .option("--hot-pixels <ratio>", "drop pixels with this many times the mean count", parseNumber)
    .option("--polarity <on|off>", "keep one polarity", parsePolarity)
    .option("--roi <x,y,w,h>", "keep a region, whose corner becomes the origin", parseRegion)
    .option("--refractory <us>", "drop events of a pixel within this time", parseNumber)
    .option("--background <us>", "drop events without a neighbour's within this time", parseNumber)
    .option("--downsample <n>", "join n × n pixels", parseNumber)
    .option("--rate <n>", "let through at most n events per second of event time", parseNumber)
    .addHelpText(
      "after",
      "\nExample:\n  polyphase events filter in.raw out.raw --to evt3 --hot-pixels 10 --background 5000",
    )
    .action(filterCommand);
}

async function filterCommand(file: string, output: string, options: FilterOptions): Promise<void> {
  const format = outputFormat(output, options.to);
  const hotPixels = await learnHotPixels(file, options);
  const steps = stepsOf(options, hotPixels);
  const filters: DvsFilter[] = [];
  const memories: PacketMemory[] = [];
  const shift = createTimeShift(options.t0, format);
  const source = await openEventSource(file, sourceOptions(options));
  const change = (packet: DvsPacket): DvsPacket => {
    let passed = packet;
    for (const [i, step] of steps.entries()) {
      filters[i] ??= createFilter(step, passed);
      memories[i] ??= new PacketMemory();
      passed = filters[i].apply(passed, memories[i]);
    }
    return shift(passed);
  };
  await writeEvents(source, (size) => openEventSink(output, format, size), change);
  for (const [i, { counts }] of filters.entries()) {
    const dropped = grouped(counts.events - counts.kept);
    console.error(`${steps[i]!.name}: dropped ${dropped} of ${grouped(counts.events)} events`);
  }
}

/** A region that does not fit the sensor, and the like, are only known once the file is read. */
function createFilter(step: FilterStep, size: SensorSize): DvsFilter {
  try {
    return step.create({ width: size.width, height: size.height });
  } catch (error) {
    if (error instanceof RangeError) throw usage(error);
    throw error;
  }
}

function usage(cause: RangeError): PolyphaseError {
  return new PolyphaseError("USAGE", cause.message, { cause });
}

/** Hot pixels are those of the whole recording, so it is read once before. */
async function learnHotPixels(file: string, options: FilterOptions): Promise<readonly number[]> {
  if (options.hotPixels === undefined) return [];
  const source = await openEventSource(file, sourceOptions(options));
  let learner: HotPixelLearner | undefined;
  for await (const packet of source.packets()) {
    learner ??= new HotPixelLearner(packet);
    learner.learn(packet);
  }
  return learner?.hotPixels(options.hotPixels) ?? [];
}

function stepsOf(options: FilterOptions, hotPixels: readonly number[]): FilterStep[] {
  const { polarity, roi, refractory, background, downsample, rate } = options;
  const steps: FilterStep[] = [];
  const add = (name: string, create: FilterStep["create"]): number => steps.push({ name, create });
  if (options.hotPixels !== undefined) {
    add("hot pixels", (size) => createHotPixelFilter(size, hotPixels));
  }
  if (polarity !== undefined) add("polarity", (size) => createPolarityFilter(size, polarity));
  if (roi !== undefined) add("roi", (size) => createRegionFilter(size, roi));
  if (refractory !== undefined) {
    add("refractory", (size) => createRefractoryFilter(size, refractory));
  }
  if (background !== undefined) {
    add("background", (size) => createBackgroundActivityFilter(size, { supportUs: background }));
  }
  if (downsample !== undefined) {
    add("downsample", (size) => createDownsampleFilter(size, downsample));
  }
  if (rate !== undefined) {
    const burstEventsMax = Math.max(1, Math.round(rate * burstSeconds));
    add("rate", (size) => createRateLimitFilter(size, rate, burstEventsMax));
  }
  return steps;
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("must be above 0");
  return value;
}

function parsePolarity(text: string): "on" | "off" {
  if (text === "on" || text === "off") return text;
  throw new InvalidArgumentError("must be on or off");
}

function parseRegion(text: string): Region {
  const [x, y, width, height, ...rest] = text.split(",").map(Number);
  if (height === undefined || rest.length > 0) throw new InvalidArgumentError("must be x,y,w,h");
  return { x: x!, y: y!, width: width!, height };
}
