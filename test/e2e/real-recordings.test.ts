import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createReferenceKernel } from "../../src/cells/kernels/reference-kernel.ts";
import { softmax } from "../../src/cells/softmax.ts";
import { dataDirectory } from "../../src/cli/data-directory.ts";
import { grid } from "../../src/cli/import/grid.ts";
import type { DataSet, ImportOptions } from "../../src/cli/import/importer.ts";
import { nmnist } from "../../src/cli/import/nmnist.ts";
import { writeRecordings } from "../../src/cli/import/write-recordings.ts";
import { prepareModel, presetModel } from "../../src/cli/load-model.ts";
import { runReplay } from "../../src/cli/run-replay.ts";
import { type DenseTick, evaluateDense } from "../../src/fusion/evaluate-dense.ts";
import { createFusionModel } from "../../src/fusion/fusion-model.ts";
import type { Prediction } from "../../src/fusion/prediction.ts";
import type { SensorEvent, StreamItem } from "../../src/sensors/sensor-event.ts";
import { NdjsonSink } from "../../src/streams/ndjson/ndjson-sink.ts";
import { openRecording } from "../../src/streams/replay/recording-reader.ts";

const data = dataDirectory();
const scratch = mkdtempSync(join(tmpdir(), "polyphase-real-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const slow = 240_000;

/** Imports a few recordings and returns their paths. */
async function imported(
  dataSet: DataSet,
  options: ImportOptions,
  recordingsMax: number,
): Promise<readonly string[]> {
  const names: string[] = [];
  const out = join(scratch, dataSet.name);
  const recordings = async function* () {
    for await (const recording of dataSet.recordings(join(data, dataSet.folder), options)) {
      names.push(recording.name);
      yield recording;
    }
  };
  await writeRecordings(recordings(), {
    out,
    recordingsMax,
    force: true,
    stop: new AbortController().signal,
    progress: () => undefined,
  });
  return names.slice(0, recordingsMax).map((name) => join(out, `${name}.mcap`));
}

async function itemsOf(path: string): Promise<readonly StreamItem[]> {
  const recording = await openRecording(path);
  const items: StreamItem[] = [];
  for await (const batch of recording.items()) items.push(...batch.map(({ item }) => item));
  await recording.close();
  return items;
}

async function replayed(path: string, preset: string): Promise<readonly Prediction[]> {
  const predictions: Prediction[] = [];
  const stored = presetModel(preset, 1);
  const model = await prepareModel(stored, { kernel: "auto", encoder: "auto" }, () => undefined);
  await runReplay({
    paths: [path],
    model,
    weights: "seed 1",
    sink: {
      write: (more) => {
        predictions.push(...more);
      },
      close: async () => undefined,
    },
    digest: new NdjsonSink(),
    order: "received",
  });
  return predictions;
}

/**
 * The predictions of a recording by another way: events sorted and grouped by hand, features from
 * the plain encoders, every row in float64 by `evaluateDense`.
 */
async function recomputed(path: string, preset: string): Promise<ReadonlyMap<number, number[]>> {
  const { spec, weights, hash } = presetModel(preset, 1);
  const { graph, encoders } = createFusionModel(spec, weights, hash, createReferenceKernel());
  const events = (await itemsOf(path)).flatMap((item) => {
    if (item.kind === "marker" || item.kind === "status") return [];
    const sensor = spec.sensors.findIndex(({ name }) => name === item.sensor);
    const count = item.kind === "dvs" ? item.packet.count : 1;
    return Array.from({ length: count }, (_, index) => {
      const timeUs = item.kind === "dvs" ? item.packet.timeUs[index]! : item.timeUs;
      return { sensor, timeUs, features: features(item, sensor, index) };
    });
  });
  function features(item: SensorEvent, sensor: number, index: number): Float64Array {
    const encoder = encoders[sensor]!;
    const out = new Float64Array(encoder.size);
    if (encoder.mode === "direct") encoder.encode(out, item, index);
    return out;
  }
  const byTime = new Map<number, DenseTick["events"][number][]>();
  for (const { timeUs, ...event } of events.toSorted((a, b) => a.sensor - b.sensor)) {
    byTime.set(timeUs, [...(byTime.get(timeUs) ?? []), event]);
  }
  const ticks = [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([timeUs, at]) => ({ timeUs, events: at }));
  const probabilities = new Map<number, number[]>();
  for (const { timeUs, logits } of evaluateDense(graph, ticks, 0)) {
    const values = Float64Array.from(logits[0]!);
    softmax(values, 0, values.length);
    probabilities.set(timeUs, [...values]);
  }
  return probabilities;
}

interface GridEntry {
  readonly name: string;
  readonly fold: number;
  readonly frames: number;
  readonly samples: number;
  readonly words: readonly (readonly [string, number, number])[];
}

describe.skipIf(!existsSync(join(data, "grid-s1")))("real GRID sentences", () => {
  it(
    "keep their frames, features, durations and word times, and replay as recomputed",
    async () => {
      const index = JSON.parse(
        readFileSync(join(data, "grid-s1", "index.json"), "utf8"),
      ) as GridEntry[];
      const paths = await imported(grid, { folds: new Set([8]) }, 2);
      const entries = index.filter(({ fold }) => fold === 8);
      for (const [i, path] of paths.entries()) {
        const entry = entries.find(({ name }) => path.endsWith(`${name}.mcap`))!;
        const items = await itemsOf(path);
        const video = items.filter(({ kind }) => kind === "video");
        const audio = items.filter(({ kind }) => kind === "audio");
        expect(video).toHaveLength(entry.frames);
        expect(video.map(({ timeUs }) => timeUs)).toEqual(
          Array.from({ length: entry.frames }, (_, frame) => 40_000 * frame + 20_000),
        );
        // 25 ms windows every 10 ms over the samples, the last one padded.
        expect(audio).toHaveLength(1 + Math.ceil((entry.samples - 400) / 160));
        expect(audio[1]!.timeUs).toBe(22_500);
        const words = items.filter(
          (item) => item.kind === "marker" && item.action === "segment-start",
        );
        expect(words.map((word) => [word.kind === "marker" && word.label, word.timeUs])).toEqual(
          entry.words
            .filter(([label]) => label !== "sil" && label !== "sp")
            .map(([label, startMs]) => [label, startMs * 1000]),
        );
        if (i > 0) continue;
        const expected = await recomputed(path, "grid");
        const predictions = await replayed(path, "grid");
        expect(predictions).toHaveLength(expected.size);
        let worst = 0;
        for (const { timeUs, values } of predictions) {
          expected.get(timeUs)!.forEach((value, label) => {
            worst = Math.max(worst, Math.abs(value - values[label]!));
          });
        }
        expect(worst).toBeLessThanOrEqual(1e-5);
      }
    },
    slow,
  );
});

describe.skipIf(!existsSync(join(data, "nmnist")))("real N-MNIST digits", () => {
  it(
    "keep every event, and replay as recomputed",
    async () => {
      const [path] = await imported(nmnist, {}, 1);
      const items = await itemsOf(path!);
      const packets = items.filter((item) => item.kind === "dvs");
      const events = packets.reduce((sum, { packet }) => sum + packet.count, 0);
      expect(events).toBeGreaterThanOrEqual(1_069);
      expect(events).toBeLessThanOrEqual(7_152);
      const last = packets.at(-1)!.packet;
      expect(last.timeUs[last.count - 1]).toBeGreaterThan(290_000);
      expect(last.timeUs[last.count - 1]).toBeLessThan(340_000);
      const expected = await recomputed(path!, "nmnist");
      const predictions = await replayed(path!, "nmnist");
      expect(predictions.length).toBeGreaterThan(0);
      let worst = 0;
      for (const { timeUs, values } of predictions) {
        expected.get(timeUs)!.forEach((value, label) => {
          worst = Math.max(worst, Math.abs(value - values[label]!));
        });
      }
      expect(worst).toBeLessThanOrEqual(1e-5);
    },
    slow,
  );
});
