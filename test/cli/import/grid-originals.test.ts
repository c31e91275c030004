import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { grid } from "../../../src/cli/import/grid.ts";
import type { ImportedItem, ImportOptions } from "../../../src/cli/import/importer.ts";
import type { VideoEvent } from "../../../src/sensors/sensor-event.ts";
import { collectRecordings } from "./collect-recordings.ts";

const data = process.env["POLYPHASE_DATA"] ?? "../shared/data";
const originals = join(data, "grid-originals");
const hasClip = existsSync(join(originals, "bbaf2n.mpg"));
const hasCoded = existsSync(join(data, "grid-s1", "index.json"));
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-grid-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function makeFiles(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path.endsWith(".align") ? "0 25 sil\n25 50 bin\n" : "");
  }
}

/** A film of 4 pictures and half a second of sound; films of the codecs GRID has are short to make. */
function makeClip(path: string, size: string, rate = "25"): void {
  const video = ["-f", "lavfi", "-i", `testsrc=size=${size}:rate=${rate}`];
  const audio = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
  const codecs = ["-c:v", "mpeg1video", "-c:a", "mp2", "-t", "0.16", "-f", "mpeg"];
  const args = ["-v", "error", "-nostdin", "-y", ...video, ...audio, ...codecs, join(folder, path)];
  expect(spawnSync("ffmpeg", args).status).toBe(0);
}

async function itemsOf(
  source: string,
  options: ImportOptions = {},
): Promise<readonly ImportedItem[]> {
  for await (const recording of grid.recordings(source, options)) return recording.items();
  throw new Error("no recording");
}

const framesOf = (items: readonly ImportedItem[]): VideoEvent[] =>
  items.flatMap(({ item }) => (item.kind === "video" ? [item] : []));

const segmentsOf = (items: readonly ImportedItem[]): [string, number][] =>
  items.flatMap(({ item }) =>
    item.kind === "marker" && item.action !== "session-start" ? [[item.label, item.timeUs]] : [],
  );

test("import grid finds clips in speakers' folders, alignments beside them or in align/", async () => {
  await makeFiles(
    "s10/aaaa.mpg",
    "s10/aaaa.align",
    "s2/video/mpg_6000/bbbb.mpg",
    "s2/align/bbbb.align",
  );
  const both = await collectRecordings(grid, folder);
  expect(both.map(({ name }) => name)).toEqual(["s2-bbbb", "s10-aaaa"]);
  expect(both[0]!.metadata).toMatchObject({
    dataSet: "grid",
    name: "s2-bbbb",
    label: "bin",
    words: '[{"word":"bin","startUs":1000,"endUs":2000}]',
    timeOrigin: "start of the clip",
    source: expect.stringContaining("speaker s2;"),
  });
  const [alone] = await collectRecordings(grid, join(folder, "s10"));
  expect(alone).toMatchObject({
    name: "aaaa",
    metadata: { source: expect.stringContaining("speaker s10;") },
  });
});

test("import grid refuses folders that are of neither layout, naming both", async () => {
  await makeFiles("notes.txt");
  await expect(collectRecordings(grid, folder)).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    message: expect.stringMatching(/index\.json .*coded layout.*\*\.mpg .*original layout/),
  });
});

test("import grid refuses a clip without alignment, and two clips of one name", async () => {
  await makeFiles("s1/video/aaaa.mpg", "s2/align/aaaa.align");
  await expect(collectRecordings(grid, folder)).rejects.toThrow(
    "s1/video/aaaa.mpg must have aaaa.align beside it or in align/",
  );
  await makeFiles("s1/align/aaaa.align", "s1/aaaa.mpg");
  await expect(collectRecordings(grid, folder)).rejects.toThrow("clips must have different names");
});

test("import grid refuses options of the other layout", async () => {
  await makeFiles("aaaa.mpg", "aaaa.align");
  await expect(itemsOf(folder, { folds: new Set([8]) })).rejects.toThrow(
    "--folds must be left out, the original layout has no folds",
  );
  await makeFiles("index.json");
  const box = { x: 0, y: 0, width: 1, height: 1 };
  await expect(itemsOf(folder, { crop: { mode: "fixed", box } })).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("--box must be left out"),
  });
});

test("import grid says what to install when ffmpeg is missing", async () => {
  await makeFiles("aaaa.mpg", "aaaa.align");
  vi.stubEnv("PATH", folder);
  await expect(itemsOf(folder)).rejects.toMatchObject({
    code: "FAILED",
    message: expect.stringContaining("apt-get install ffmpeg"),
  });
});

test.skipIf(!hasFfmpeg)(
  "import grid takes the box asked for, and the WAV in audio/ (needs ffmpeg)",
  async () => {
    await makeFiles("aaaa.mpg", "align/aaaa.align", "audio/aaaa.wav");
    makeClip("aaaa.mpg", "96x64");
    // 50 kHz, all zero: the MFCC of silence, where the clip itself has a tone.
    const silence = [
      "-f",
      "lavfi",
      "-i",
      "anullsrc=sample_rate=50000:channel_layout=mono",
      "-t",
      "0.1",
    ];
    const wav = join(folder, "audio", "aaaa.wav");
    spawnSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...silence, wav]);
    await expect(itemsOf(folder)).rejects.toThrow(
      "picture must be 360x288 unless --box says where the mouth is, got 96x64",
    );
    const [left, right] = await Promise.all([
      itemsOf(folder, { crop: { mode: "fixed", box: { x: 0, y: 0, width: 48, height: 48 } } }),
      itemsOf(folder, { crop: { mode: "fixed", box: { x: 48, y: 16, width: 48, height: 48 } } }),
    ]);
    expect(framesOf(left).map(({ timeUs }) => timeUs)).toEqual([20_000, 60_000, 100_000, 140_000]);
    expect(framesOf(left)[0]!.pixels).not.toEqual(framesOf(right)[0]!.pixels);
    const sound = left.flatMap(({ item }) => (item.kind === "audio" ? [item] : []));
    expect(sound).toHaveLength(1 + Math.ceil((1600 - 400) / 160));
    expect(sound.every(({ values }) => values[0] === sound[0]!.values[0])).toBe(true);
    await expect(
      itemsOf(folder, { crop: { mode: "fixed", box: { x: 60, y: 0, width: 48, height: 48 } } }),
    ).rejects.toThrow("picture must be at least 108x48 for --box, got 96x64");
  },
);

test.skipIf(!hasFfmpeg)(
  "import grid refuses clips that are broken or not of 25 fps (needs ffmpeg)",
  async () => {
    await makeFiles("aaaa.mpg", "aaaa.align");
    await writeFile(join(folder, "aaaa.mpg"), "no film");
    await expect(itemsOf(folder)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringMatching(/Cannot decode .*aaaa\.mpg: ffmpeg says: .*Invalid data/),
    });
    makeClip("aaaa.mpg", "360x288", "50");
    await expect(itemsOf(folder)).rejects.toThrow("aaaa.mpg: frame rate must be 25, got 50");
    await expect(itemsOf(folder, { stop: AbortSignal.abort() })).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  },
);

test.skipIf(!hasFfmpeg || !hasClip)(
  "import grid: a real clip has 75 frames, 3 s of sound and six words (needs ffmpeg and POLYPHASE_DATA)",
  async () => {
    const items = await itemsOf(originals);
    const frames = framesOf(items);
    expect(frames.map(({ timeUs }) => timeUs)).toEqual(
      Array.from({ length: 75 }, (_, i) => 40_000 * i + 20_000),
    );
    const sound = items.filter(({ item }) => item.kind === "audio");
    expect(sound).toHaveLength(1 + Math.ceil((47_648 - 400) / 160));
    expect(segmentsOf(items)).toEqual([
      ...[
        ["bin", 950_000],
        ["bin", 1_180_000],
        ["blue", 1_180_000],
        ["blue", 1_360_000],
      ],
      ...[
        ["at", 1_360_000],
        ["at", 1_420_000],
        ["f", 1_420_000],
        ["f", 1_640_000],
      ],
      ...[
        ["two", 1_640_000],
        ["two", 1_890_000],
        ["now", 1_890_000],
        ["now", 2_120_000],
      ],
    ]);
  },
);

test.skipIf(!hasFfmpeg || !hasClip || !hasCoded)(
  "import grid: both layouts agree on the real clip's frames, features and words (needs ffmpeg and POLYPHASE_DATA)",
  async () => {
    await cp(join(originals, "bbaf2n.mpg"), join(folder, "bbaf2n.mpg"));
    await cp(join(originals, "bbaf2n.align"), join(folder, "bbaf2n.align"));
    // The index has it: cut at 680 ms, frame 17, out of this box.
    const box = { x: 121, y: 179, width: 71, height: 71 };
    const original = await itemsOf(folder, { crop: { mode: "fixed", box } });
    const options = { folds: new Set([2]) };
    for await (const { name, items } of grid.recordings(join(data, "grid-s1"), options)) {
      if (name !== "bbaf2n") continue;
      const coded = await items();
      const shifted = segmentsOf(coded).map(([label, us]) => [label, us + 680_000]);
      expect(segmentsOf(original)).toEqual(shifted);
      const frames = framesOf(original).slice(17, 17 + 44);
      for (const [i, { pixels }] of framesOf(coded).entries()) {
        // The coded frames are rounded to multiples of 4.
        const differences = pixels.map((value, at) => Math.abs(value - frames[i]!.pixels[at]!));
        expect(Math.max(...differences)).toBeLessThanOrEqual(4);
      }
      const energies = (list: readonly ImportedItem[]): Map<number, number> =>
        new Map(
          list.flatMap(({ item }) =>
            item.kind === "audio" ? [[item.timeUs, item.values[0]!] as const] : [],
          ),
        );
      const whole = energies(original);
      /** Mean difference of log energies when the cut starts at `startUs`. */
      const differenceAt = (startUs: number): number => {
        const cut = [...energies(coded)];
        const sum = cut.reduce(
          (s, [us, value]) => s + Math.abs(whole.get(us + startUs)! - value),
          0,
        );
        return sum / cut.length;
      };
      expect(differenceAt(680_000)).toBeLessThan(differenceAt(670_000) / 2);
      expect(differenceAt(680_000)).toBeLessThan(differenceAt(690_000) / 2);
      return;
    }
    expect.unreachable("bbaf2n must be in fold 2");
  },
);
