import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nmnist } from "../../../src/cli/import/nmnist.ts";
import { writeRecordings } from "../../../src/cli/import/write-recordings.ts";
import { registerImport } from "../../../src/cli/import.ts";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { openRecording } from "../../../src/streams/replay/recording-reader.ts";

const data = process.env["POLYPHASE_DATA"] ?? "../shared/data";
const hasData = existsSync(join(data, "grid-s1", "index.json"));

let folder: string;
let out: string;
const stopSignals = ["SIGINT", "SIGTERM"] as const;
let foreignListeners: readonly unknown[];
beforeEach(async () => {
  foreignListeners = stopSignals.flatMap((signal) => process.listeners(signal));
  folder = await mkdtemp(join(tmpdir(), "polyphase-import-"));
  out = join(folder, "out");
});
afterEach(async () => {
  for (const signal of stopSignals) {
    for (const listener of stopListeners(signal)) process.removeListener(signal, listener);
  }
  await rm(folder, { recursive: true });
});

/** What commands run by the test do at a signal; they keep listening until their process ends. */
function stopListeners(signal: (typeof stopSignals)[number]): NodeJS.SignalsListener[] {
  return process.listeners(signal).filter((listener) => !foreignListeners.includes(listener));
}

/** Runs `polyphase import …args --json` and gives back its summary. */
async function runImport(...args: string[]): Promise<Record<string, unknown>> {
  const program = new Command().exitOverride();
  registerImport(program);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await program.parseAsync(["import", ...args, "--out", out, "--json"], { from: "user" });
    expect(log).toHaveBeenCalledOnce();
    return JSON.parse(log.mock.calls[0]![0]);
  } finally {
    log.mockRestore();
  }
}

async function readItems(name: string): Promise<StreamItem[]> {
  const recording = await openRecording(join(out, `${name}.mcap`));
  const items: StreamItem[] = [];
  for await (const batch of recording.items()) items.push(...batch.map(({ item }) => item));
  await recording.close();
  return items;
}

/** A GRID cut of two sentences of 2 frames and 80 ms, in folds 0 and 8. */
async function makeGrid(): Promise<string> {
  const source = join(folder, "grid");
  await mkdir(source);
  const words = [
    ["sil", -40, 20],
    ["bin", 20, 60],
    ["sp", 60, 80],
  ];
  const common = { frames: 2, mouthOff: 0, samples: 1280, pcmOff: 0, startMs: 40, words };
  const index = [
    { ...common, name: "aaaa", fold: 0 },
    { ...common, name: "bbbb", fold: 8 },
  ];
  await writeFile(join(source, "index.json"), JSON.stringify(index));
  for (const fold of [0, 8]) {
    await writeFile(join(source, `fold${fold}.mouth.gz`), gzipSync(new Uint8Array(2 * 2304)));
    await writeFile(join(source, `fold${fold}.pcm.gz`), gzipSync(new Uint8Array(2 * 1280)));
  }
  return source;
}

/** Events of N-MNIST: x, y, ON, t in µs. */
const nmnistBytes = (events: readonly (readonly [number, number, number, number])[]) =>
  Uint8Array.from(
    events.flatMap(([x, y, on, t]) => [x, y, (on << 7) | (t >> 16), (t >> 8) & 255, t & 255]),
  );

async function makeNmnistTree(): Promise<string> {
  const source = join(folder, "nmnist");
  for (const digit of Array.from({ length: 10 }, (_, i) => String(i))) {
    await mkdir(join(source, "Train", digit), { recursive: true });
  }
  const events = nmnistBytes([
    [1, 2, 1, 10],
    [3, 4, 0, 5_011],
    [33, 33, 1, 100_000],
  ]);
  await writeFile(join(source, "Train", "7", "00042.bin"), events);
  return source;
}

test("import grid writes one recording per sentence with markers, frames and features", async () => {
  const summary = await runImport("grid", await makeGrid());
  expect(summary).toMatchObject({
    dataSet: "grid",
    recordings: 2,
    existing: 0,
    itemsByKind: { marker: 6, video: 4, audio: 14 },
  });
  const items = await readItems("aaaa");
  const markers = items.filter((item) => item.kind === "marker");
  expect(markers.map(({ timeUs, action, label }) => [timeUs, action, label])).toEqual([
    [0, "session-start", "aaaa"],
    [20_000, "segment-start", "bin"],
    [60_000, "segment-end", "bin"],
  ]);
  const frameTimes = items.filter(({ kind }) => kind === "video").map(({ timeUs }) => timeUs);
  expect(frameTimes).toEqual([20_000, 60_000]);
  // A marker precedes the frame of the same time.
  const kindsAt20ms = items.filter(({ timeUs }) => timeUs === 20_000).map(({ kind }) => kind);
  expect(kindsAt20ms).toEqual(["marker", "video"]);
});

test("import grid takes only the folds asked for", async () => {
  await runImport("grid", await makeGrid(), "--folds", "3-8");
  expect(await readdir(out)).toEqual(["bbbb.mcap"]);
});

test("import leaves existing recordings as they are, unless forced", async () => {
  const source = await makeGrid();
  await runImport("grid", source, "--limit", "1");
  await writeFile(join(out, "aaaa.mcap"), "mine");
  expect(await runImport("grid", source)).toMatchObject({ recordings: 1, existing: 1 });
  expect(await readFile(join(out, "aaaa.mcap"), "utf8")).toBe("mine");
  expect(await runImport("grid", source, "--force")).toMatchObject({ recordings: 2, existing: 0 });
  expect((await readItems("aaaa")).length).toBe(12);
});

test("import nmnist reads the original tree and cuts packets after 5 ms", async () => {
  const summary = await runImport("nmnist", await makeNmnistTree());
  expect(summary).toMatchObject({ recordings: 1, dvsEvents: 3 });
  const items = await readItems("train-00042");
  expect(items.map(({ kind, timeUs }) => [kind, timeUs])).toEqual([
    ["marker", 0],
    ["marker", 0],
    ["dvs", 10],
    ["dvs", 5011],
    ["dvs", 100_000],
    ["marker", 100_001],
  ]);
  expect(items.find(({ kind }) => kind === "marker")).toMatchObject({ action: "session-start" });
  expect(items.at(-1)).toMatchObject({ action: "segment-end", label: "7" });
});

test("import refuses a source that is not there, naming it", async () => {
  await expect(runImport("grid", join(folder, "none"))).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    message: expect.stringContaining(`cannot list ${join(folder, "none")}`),
  });
  await mkdir(join(folder, "empty"));
  await expect(runImport("nmnist", join(folder, "empty"))).rejects.toThrow(
    "must have train1K.txt, Train/ or Test/, got nothing",
  );
  vi.stubEnv("POLYPHASE_DATA", folder);
  await expect(runImport("grid")).rejects.toThrow(join(folder, "grid-s1"));
  vi.unstubAllEnvs();
});

test("writeRecordings leaves no partial file when stopped", async () => {
  const stop = new AbortController();
  const options = { out, recordingsMax: 9, force: false, stop: stop.signal, progress: () => {} };
  const source = await makeNmnistTree();
  stop.abort();
  await expect(writeRecordings(nmnist.recordings(source, {}), options)).rejects.toMatchObject({
    code: "INTERRUPTED",
  });
  expect(await readdir(out)).toEqual([]);
});

test.each(stopSignals)("import stops at %s and leaves no partial file", async (signal) => {
  const source = await makeGrid();
  const importing = runImport("grid", source);
  await vi.waitFor(() => expect(stopListeners(signal)).toHaveLength(1), { interval: 1 });
  stopListeners(signal)[0]!(signal);
  await expect(importing).rejects.toMatchObject({ code: "INTERRUPTED" });
  expect(await readdir(out)).toEqual([]);
});

test.skipIf(!hasData)(
  "import grid: real sentences have the frames, sound and words of the index",
  async () => {
    await runImport("grid", join(data, "grid-s1"), "--limit", "4");
    const index = JSON.parse(await readFile(join(data, "grid-s1", "index.json"), "utf8"));
    for (const { name, frames, samples, words } of index.slice(0, 4)) {
      const items = await readItems(name);
      expect(items.filter(({ kind }) => kind === "video")).toHaveLength(frames);
      const vectors = items.filter(({ kind }) => kind === "audio");
      expect(vectors).toHaveLength(1 + Math.ceil((samples - 400) / 160));
      expect(vectors.at(-1)!.timeUs).toBeLessThanOrEqual((samples / 16) * 1000);
      const spoken = words.filter(([word]: [string]) => word !== "sil" && word !== "sp");
      expect(spoken).toHaveLength(6);
      const segments = items.filter((item) => item.kind === "marker").slice(1);
      expect(segments.map(({ timeUs, label }) => [timeUs, label])).toEqual(
        spoken.flatMap(([word, startMs, endMs]: [string, number, number]) => [
          [startMs * 1000, word],
          [endMs * 1000, word],
        ]),
      );
      expect(items.every(({ timeUs }, i) => i === 0 || timeUs >= 0)).toBe(true);
    }
  },
);

test.skipIf(!hasData)(
  "import nmnist: real recordings have their events, durations and digits",
  async () => {
    const summary = await runImport("nmnist", join(data, "nmnist"), "--limit", "100");
    expect(summary).toMatchObject({ recordings: 100, itemsByKind: { marker: 300 } });
    const labels = await readFile(join(data, "nmnist", "train1K.txt"), "utf8");
    const digit = new Map(
      labels.split("\n").map((line) => line.trim().split(/\s+/) as [string, string]),
    );
    const sample = await readFile(join(data, "nmnist", "samples", "train_00001_label5.bin"));
    for (const name of ["train-00001", "train-00002", "train-00100"]) {
      const items = await readItems(name);
      const events = items.filter((item) => item.kind === "dvs");
      const count = events.reduce((sum, { packet }) => sum + packet.count, 0);
      if (name === "train-00001") expect(count).toBe(sample.length / 5);
      expect(count).toBeGreaterThanOrEqual(1069);
      expect(count).toBeLessThanOrEqual(7152);
      const end = items.at(-1)!;
      expect(end).toMatchObject({
        action: "segment-end",
        label: digit.get(String(Number(name.slice(6)))),
      });
      expect(end.timeUs).toBeGreaterThan(296_000);
      expect(end.timeUs).toBeLessThan(338_000);
    }
  },
);
