import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import { CountFrame } from "../../sensors/dvs/render/count-frame.ts";
import { TimeSurface } from "../../sensors/dvs/render/time-surface.ts";
import { addInputOptions, type InputOptions, sourceOptions } from "./event-options.ts";
import { openEventSource } from "./open-event-source.ts";
import { encodeGreyPng } from "./png.ts";

interface RenderOptions extends InputOptions {
  readonly frame: number;
  readonly mode: "count" | "surface";
  readonly decay: number;
}

const usPerMs = 1000;
const framesMax = 1_000_000;

/** `polyphase events render`: events as pictures. */
export function registerEventsRender(events: Command): void {
  addInputOptions(
    events
      .command("render")
      .description("write one PNG per span of time; ON is bright, OFF is dark")
      .argument("<file>", "event-camera file, MCAP or rosbag2 recording")
      .argument("<folder>", "folder to write frame-000000.png … to"),
  )
    .option("--frame <ms>", "event time per frame", parseMs, 20)
    .addOption(
      new Option("--mode <mode>", "count events, or show how long ago each pixel's last one was")
        .choices(["count", "surface"])
        .default("count"),
    )
    .option("--decay <ms>", "time constant of the surface", parseMs, 30)
    .addHelpText("after", "\nExample:\n  polyphase events render recording.raw frames --frame 40")
    .action(renderCommand);
}

async function renderCommand(file: string, folder: string, options: RenderOptions): Promise<void> {
  const source = await openEventSource(file, sourceOptions(options));
  await mkdir(folder, { recursive: true });
  const frameUs = options.frame * usPerMs;
  let picture: Picture | undefined;
  let endUs = 0;
  let frames = 0;
  const writeFrame = async (shown: Picture): Promise<void> => {
    const { width, height } = shown.size;
    const name = `frame-${String(frames).padStart(6, "0")}.png`;
    await writeFile(join(folder, name), encodeGreyPng(shown.grey(endUs), width, height));
    frames++;
    endUs += frameUs;
  };
  for await (const packet of source.packets()) {
    if (picture !== undefined && packet.discontinuity !== undefined) await writeFrame(picture);
    if (picture === undefined || packet.discontinuity !== undefined) {
      endUs = packet.timeUs[0]! + frameUs;
    }
    picture ??= createPicture(packet, options);
    for (let from = 0; from < packet.count && frames < framesMax; ) {
      const to = firstAtOrAfter(packet, endUs, from);
      picture.add(packet, from, to);
      from = to;
      if (to < packet.count) await writeFrame(picture);
    }
  }
  if (picture !== undefined) await writeFrame(picture);
  console.error(`wrote ${frames} frames to ${folder}`);
}

/** Index of the first event from `from` on that is not before `endUs`. */
function firstAtOrAfter(packet: DvsPacket, endUs: number, from: number): number {
  let i = from;
  while (i < packet.count && packet.timeUs[i]! < endUs) i++;
  return i;
}

/** What collects events and can be seen as grey values. */
interface Picture {
  readonly size: SensorSize;
  add(packet: DvsPacket, from: number, to: number): void;
  /** The frame that ends at `endUs`. */
  grey(endUs: number): Uint8Array;
}

function createPicture({ width, height }: SensorSize, options: RenderOptions): Picture {
  const size = { width, height };
  if (options.mode === "count") {
    const frame = new CountFrame(size);
    return {
      size,
      add: (packet, from, to) => frame.add(packet, from, to),
      grey: () => {
        const grey = frame.toGrey();
        frame.clear();
        return grey;
      },
    };
  }
  const surface = new TimeSurface(size, options.decay * usPerMs);
  const pixels = width * height;
  const values = new Float32Array(2 * pixels);
  return {
    size,
    add: (packet, from, to) => surface.add(packet, from, to),
    grey: (endUs) => {
      surface.at(endUs, values);
      return Uint8Array.from({ length: pixels }, (_, i) =>
        Math.round(127.5 + 127.5 * (values[pixels + i]! - values[i]!)),
      );
    },
  };
}

function parseMs(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("must be above 0");
  return value;
}
