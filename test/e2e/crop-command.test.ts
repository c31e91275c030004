import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StreamItem } from "../../src/sensors/sensor-event.ts";
import { createRecording } from "../../src/streams/record/recording-writer.ts";
import { openRecording } from "../../src/streams/replay/recording-reader.ts";
import { tinyDetector } from "../backends/tiny-detector.ts";
import { polyphase } from "./cli.ts";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
const slow = 60_000;
let folder: string;
let detector: string;
const sha256 = createHash("sha256").update(tinyDetector("ssd")).digest("hex");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polyphase-crop-"));
  detector = join(folder, "face.onnx");
  writeFileSync(detector, tinyDetector("ssd"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Whole pictures of 320 × 240, of which every third shows something bright. */
async function cameraRecording(): Promise<string> {
  const path = join(folder, "camera.mcap");
  const recording = await createRecording(path);
  const [width, height] = [320, 240];
  for (let seq = 0; seq < 9; seq++) {
    const pixels = new Uint8Array(width * height).fill(30);
    if (seq % 3 === 0) pixels.fill(255, width * 80, width * 160);
    const at = { stream: "s", sensor: "video", timeUs: 40_000 * seq, seq };
    await recording.write({ kind: "video", ...at, width, height, pixels }, at.timeUs);
  }
  await recording.close();
  return path;
}

async function contentOf(path: string): Promise<{
  readonly items: readonly StreamItem[];
  readonly convention: string | undefined;
}> {
  const recording = await openRecording(path);
  const items: StreamItem[] = [];
  for await (const batch of recording.items()) items.push(...batch.map(({ item }) => item));
  await recording.close();
  const video = recording.channels.find(({ kind }) => kind === "video");
  return { items, convention: video?.convention };
}

describe("--crop detector", () => {
  it(
    "replays whole pictures of a camera: what shows nothing is counted, and what is recorded says how they were cut",
    async () => {
      const camera = await cameraRecording();
      const log = join(folder, "log.mcap");
      const model = ["--model", "scene", "--json"];
      const crop = ["--crop", "detector", "--detector", detector, "--detector-sha256", sha256];
      const first = await polyphase("replay", camera, ...model, ...crop, "--record", log);
      expect(first.stderr).toContain(`detector ${detector}: ssd, 32x24, stretch, sha256 ${sha256}`);
      const summary = JSON.parse(first.stdout);
      expect(summary).toMatchObject({ events: 3, dropped: { "no-face": 6 } });
      expect(summary.anomalies).toEqual({ "seq-gap": 4 });
      const again = await polyphase("replay", log, ...model);
      expect(JSON.parse(again.stdout).digest).toBe(summary.digest);
      expect((await contentOf(log)).convention).toBe(
        `crop/detector-ssd-score0.7-sha256:${sha256}-margin1/v1`,
      );
      expect(await polyphase("replay", log, ...model, ...crop)).toMatchObject({
        status: 64,
        stderr: expect.stringContaining("its pictures entered the graph as they are"),
      });
    },
    slow,
  );

  it.skipIf(!hasFfmpeg)(
    "imports clips: a picture without a mouth has no event, the others keep their times (needs ffmpeg)",
    async () => {
      const filter =
        "color=black:size=320x240:rate=25,drawbox=x=80:y=80:w=80:h=80:color=white:t=fill:enable='not(eq(mod(n,3),1))'";
      const input = ["-f", "lavfi", "-i", filter, "-f", "lavfi", "-i", "sine=frequency=440"];
      const codecs = ["-c:v", "mpeg1video", "-c:a", "mp2", "-t", "0.24", "-f", "mpeg"];
      const clip = join(folder, "aaaa.mpg");
      const args = ["-v", "error", "-nostdin", "-y", ...input, ...codecs, clip];
      expect(spawnSync("ffmpeg", args).status).toBe(0);
      writeFileSync(join(folder, "aaaa.align"), "0 25 sil\n25 50 bin\n");
      const command = ["import", "grid", folder, "--out", join(folder, "out"), "--json"];
      const done = await polyphase(...command, "--crop", "detector", "--detector", detector);
      expect(done.stderr).toContain(`sha256 ${sha256}`);
      expect(JSON.parse(done.stdout)).toMatchObject({ recordings: 1, dropped: { "no-face": 2 } });
      const { items, convention } = await contentOf(join(folder, "out", "aaaa.mcap"));
      expect(convention).toContain(sha256);
      const frames = items.flatMap((item) => (item.kind === "video" ? [item] : []));
      expect(frames.map(({ seq }) => seq)).toEqual([0, 2, 3, 5]);
      expect(frames.map(({ timeUs }) => timeUs)).toEqual([20_000, 100_000, 140_000, 220_000]);
      // The square of the cell that was found, and nothing of the black around it.
      const least = Math.min(...frames.flatMap(({ pixels }) => [...pixels]));
      expect(least).toBeGreaterThan(150);
    },
    slow,
  );
});
