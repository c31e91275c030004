import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { simulateSaccadeDigit } from "../../sensors/dvs/simulate/saccade-digit.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { Random } from "../../sensors/random.ts";
import { imageView, readMnistImages } from "../../train/datasets/mnist-images.ts";
import { openEventSink } from "../events/event-sink.ts";
import { grouped } from "../format/numbers.ts";
import { wholeNumber } from "../model-options.ts";
import { stopSignal } from "../stop-signal.ts";

interface SaccadesOptions {
  readonly out: string;
  readonly part: "train" | "t10k";
  readonly first: number;
  readonly count: number;
  readonly to: "nmnist" | "mcap";
  readonly seed: number;
}

const labelsFile = "classes.txt";
const extensions = { nmnist: "bs2", mcap: "mcap" } as const;

/** `polyphase simulate saccades`: MNIST images as N-MNIST recordings. */
export function registerSimulateSaccades(simulate: Command): void {
  simulate
    .command("saccades")
    .description("MNIST digits before an event camera that moves in N-MNIST's three saccades")
    .argument("<mnist>", "folder with the IDX files of MNIST, .gz or not")
    .requiredOption("-o, --out <dir>", `writes K.bs2 or K.mcap, and ${labelsFile}`)
    .addOption(
      new Option("--part <name>", "part of MNIST").choices(["train", "t10k"]).default("train"),
    )
    .option("--first <k>", "number of the first image, from 1", positiveWhole, 1)
    .option("--count <n>", "images", positiveWhole, 100)
    .addOption(
      new Option("--to <format>", "format to write").choices(["nmnist", "mcap"]).default("nmnist"),
    )
    .option("--seed <n>", "seed of the camera's noise", wholeNumber, 1)
    .addHelpText(
      "after",
      `
The camera is the one fitted to N-MNIST; K is the image's number, as in N-MNIST. The folder can be
trained and evaluated on like a real one. For recordings with labels inside: polyphase import mnist.

Examples:
  polyphase simulate saccades data/mnist --out data/simulated/nmnist --count 1000
  polyphase eval nmnist --model fixtures/models/nmnist --data data/simulated
  polyphase simulate saccades data/mnist --out scenes --to mcap --first 7 --count 1`,
    )
    .action(simulateCommand);
}

async function simulateCommand(directory: string, options: SaccadesOptions): Promise<void> {
  const { out, part, first, count, to, seed } = options;
  const mnist = await readMnistImages(directory, part);
  const last = first + count - 1;
  if (last > mnist.count) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot simulate: --first and --count must end at one of the ${mnist.count} images of ${part}, got ${last}`,
    );
  }
  const stop = stopSignal();
  await mkdir(out, { recursive: true });
  const classes: string[] = [];
  let events = 0;
  for (let number = first; number <= last && !stop.aborted; number++) {
    const image = imageView(mnist, number - 1);
    // An image gives the same recording whatever others are asked for.
    const packet = simulateSaccadeDigit(image, 0, new Random(seed * 2 ** 32 + number));
    const path = join(out, `${number}.${extensions[to]}`);
    const sink = await openEventSink(path, to, packet);
    await sink.write(packet);
    await sink.close();
    classes.push(`${number} ${mnist.labels[number - 1]}\n`);
    events += packet.count;
  }
  await writeFile(join(out, labelsFile), classes.join(""));
  const what = `${grouped(classes.length)} recordings, ${grouped(events)} events`;
  console.error(`polyphase: ${what}, classes in ${join(out, labelsFile)}`);
  if (stop.aborted) {
    throw new PolyphaseError(
      "INTERRUPTED",
      `Interrupted after image ${first + classes.length - 1}`,
    );
  }
}

function positiveWhole(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}
