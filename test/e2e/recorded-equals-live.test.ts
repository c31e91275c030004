import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { dataDirectory } from "../../src/cli/data-directory.ts";
import { grid } from "../../src/cli/import/grid.ts";
import type { DataSet } from "../../src/cli/import/importer.ts";
import { nmnist } from "../../src/cli/import/nmnist.ts";
import { writeRecordings } from "../../src/cli/import/write-recordings.ts";
import { chooseModel, prepareModel } from "../../src/cli/load-model.ts";
import type { FusionModel } from "../../src/fusion/fusion-model.ts";
import { stateHash } from "../../src/state/checkpoint.ts";
import { openRecordedLogs } from "../../src/streams/replay/log/recorded-log.ts";
import { type LogSegment, replayLog } from "../../src/streams/replay/log/replay-log.ts";
import { Pace } from "../../src/streams/replay/pace.ts";
import { lineSink } from "../streams/line-sink.ts";
import { polyphase } from "./cli.ts";
import { liveRun, type Outcome } from "./live-run.ts";

const data = dataDirectory();
const scratch = mkdtempSync(join(tmpdir(), "polyphase-recorded-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const slow = 240_000;
const keyframeUs = 700_000;

/** Replays from chunk `from` on, at `rate`. */
async function replayed(
  path: string,
  model: FusionModel,
  { from = 0, rate }: { readonly from?: number; readonly rate?: number },
): Promise<Outcome> {
  const [entry] = await openRecordedLogs([path]);
  const log = entry!.log!;
  const sink = lineSink();
  const segment: LogSegment = { from, to: log.chunks, states: await log.states(from) };
  const { streams } = await replayLog(log, {
    ...{ model, sink, segment, inFlightMax: 8192 },
    ...(rate === undefined ? {} : { shape: new Pace({ rate }).operator }),
  });
  await log.close();
  return { lines: sink.lines, hash: stateHash(streams, model) };
}

/** Live, then again in every way there is. @returns the lines of the live run */
async function expectReplaysEqualLive(
  source: string,
  folder: string,
  model: FusionModel,
  rates: readonly number[],
): Promise<readonly string[]> {
  const path = join(folder, basename(source));
  const live = await liveRun(source, model, {
    ...{ speed: 100, jitterUs: 20_000, latenessUs: 45_000, seed: 7 },
    ...{ path, keyframeUs },
  });
  expect(live.disordered).toBeGreaterThan(0);
  expect(live.lines.length).toBeGreaterThan(0);
  for (const rate of [undefined, ...rates]) {
    const again = await replayed(path, model, rate === undefined ? {} : { rate });
    expect(again.lines, `rate ${rate ?? "max"}`).toEqual(live.lines);
    expect(again.hash, `rate ${rate ?? "max"}`).toBe(live.hash);
  }
  const [entry] = await openRecordedLogs([path]);
  const keyframes = await entry!.log!.keyframes();
  await entry!.log!.close();
  for (const { chunk } of keyframes.slice(-1)) {
    const resumed = await replayed(path, model, { from: chunk });
    expect(resumed.lines).toEqual(live.lines.slice(live.lines.length - resumed.lines.length));
    expect(resumed.hash).toBe(live.hash);
  }
  return live.lines;
}

async function modelOf(name: string): Promise<FusionModel> {
  const { stored } = await chooseModel(name, 1);
  return prepareModel(stored, { kernel: "auto", encoder: "auto" }, () => undefined);
}

/** All recordings of a folder: one thread at any rate, from a keyframe, and in parallel. */
async function prove(
  sources: readonly string[],
  preset: string,
  rates: (index: number) => readonly number[],
): Promise<void> {
  const folder = join(scratch, `recorded-${preset}-${basename(sources[0]!)}`);
  mkdirSync(folder);
  const model = await modelOf(preset);
  const golden: string[] = [];
  for (const [i, source] of sources.entries()) {
    golden.push(...(await expectReplaysEqualLive(source, folder, model, rates(i))));
  }
  const goldenPath = `${folder}.ndjson`;
  writeFileSync(goldenPath, golden.map((line) => `${line}\n`).join(""));
  const args = ["replay", folder, "--model", preset, "--parallel", "2", "--assert", goldenPath];
  const { status, stderr } = await polyphase(...args);
  expect(stderr).not.toContain("Predictions are not");
  expect(status).toBe(0);
}

describe("a live run, its replay at any rate, from a keyframe and in parallel", () => {
  it(
    "are the same bits on the generated scenes",
    async () => {
      const names = (await readdir("fixtures/scenes")).filter((name) => name.endsWith(".mcap"));
      const sources = names.sort().map((name) => join("fixtures/scenes", name));
      await prove(sources, "scene", (i) => [[1, 100], [100]][i] ?? []);
    },
    slow,
  );

  const dataSets: readonly (readonly [DataSet, string, string])[] = [
    [grid, "grid-s1", "grid"],
    [nmnist, "nmnist", "nmnist"],
  ];
  for (const [dataSet, folder, preset] of dataSets) {
    it.skipIf(!existsSync(join(data, folder)))(
      `are the same bits on real ${preset} recordings`,
      async () => {
        const out = join(scratch, dataSet.name);
        await writeRecordings(dataSet.recordings(join(data, dataSet.folder), {}), {
          ...{ out, recordingsMax: 2, force: true, progress: () => undefined },
          stop: new AbortController().signal,
        });
        const names = (await readdir(out)).filter((name) => name.endsWith(".mcap")).sort();
        expect(names).toHaveLength(2);
        await prove(
          names.map((name) => join(out, name)),
          preset,
          (i) => (i === 0 ? [100] : []),
        );
      },
      slow,
    );
  }
});
