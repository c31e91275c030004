import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { Prediction } from "../../fusion/prediction.ts";
import { NdjsonSink } from "../../streams/ndjson/ndjson-sink.ts";
import type { Sink } from "../../streams/sink.ts";
import { dataDirectory } from "../data-directory.ts";
import { findRecordings } from "../find-recordings.ts";
import { summaryText } from "../format/summary-text.ts";
import { Timeline } from "../format/timeline.ts";
import { type ChosenModel, chooseModel, prepareModel } from "../load-model.ts";
import { runReplay } from "../run-replay.ts";
import { stopSignal } from "../stop-signal.ts";
import type { RunSummary } from "../summarise-run.ts";
import { type DemoSet, demoRecordings } from "./demo-recordings.ts";

const seed = 1;

/** `polyphase demo`: recordings through the graphs, as a timeline and a table. */
export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("replay the fixture scenes, and real recordings where there are any, and show it")
    .option("--data <dir>", "real recordings (default: $POLYPHASE_DATA, else ../shared/data)")
    .addHelpText(
      "after",
      `
The last line is "digest <hex>": the sha256 of everything predicted. Two runs give the same.

Example:
  polyphase demo --data /data/recordings`,
    )
    .action(demo);
}

async function demo(options: { readonly data?: string }): Promise<void> {
  const data = options.data ?? dataDirectory();
  const fixtures = fileURLToPath(new URL("../../../fixtures/scenes", import.meta.url));
  const scratch = await mkdtemp(join(tmpdir(), "polyphase-demo-"));
  const stop = stopSignal();
  try {
    const sets = await demoRecordings(fixtures, data, scratch, stop);
    const models = await Promise.all(sets.map(({ model }) => chooseModel(model, seed)));
    printHeader(models);
    const digest = createHash("sha256");
    for (const [i, set] of sets.entries()) {
      if (!stop.aborted) digest.update((await showSet(set, models[i]!, stop)).digest);
    }
    if (!existsSync(data)) console.log(`no real recordings in ${data}: set POLYPHASE_DATA`);
    console.log(`digest ${digest.digest("hex")}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function printHeader(models: readonly ChosenModel[]): void {
  const seeded = [...new Set(models.filter((m) => !m.trained).map((m) => m.stored.spec.name))];
  if (seeded.length === 0) console.log("all models are trained");
  else {
    const names = seeded.join(", ");
    console.log(
      `untrained, seeded weights (seed ${seed}) in ${names}: their predictions are noise`,
    );
  }
}

async function showSet(set: DemoSet, chosen: ChosenModel, stop: AbortSignal): Promise<RunSummary> {
  console.log(`\n━━ ${set.title}`);
  const model = await prepareModel(chosen.stored, { kernel: "auto", encoder: "auto" }, warn);
  const digest = new NdjsonSink();
  const sensors = chosen.stored.spec.sensors.map(({ name }) => name);
  const timeline = new Timeline(sensors, set.stretchUs, (line) => console.log(line));
  const sink: Sink = {
    write: (predictions: readonly Prediction[]) => {
      timeline.predictions(predictions);
      return digest.write(predictions);
    },
    close: () => digest.close(),
  };
  const summary = await runReplay({
    paths: await findRecordings([set.directory]),
    model,
    weights: chosen.origin,
    sink,
    digest,
    order: "received",
    tap: (item) => timeline.item(item),
    stop,
  });
  timeline.end();
  console.log(`\n${summaryText(summary)}`);
  return summary;
}

function warn(message: string): void {
  console.error(`polyphase: ${message}`);
}
