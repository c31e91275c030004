import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { from } from "rxjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import { createFusionModel, type FusionModel } from "../../src/fusion/fusion-model.ts";
import { seededWeights } from "../../src/fusion/presets/seeded-weights.ts";
import { parseGraphSpec } from "../../src/fusion/spec/parse-graph-spec.ts";
import { Random } from "../../src/sensors/random.ts";
import type { StreamItem, VideoEvent } from "../../src/sensors/sensor-event.ts";
import { squareAround } from "../../src/sensors/video/square-around.ts";
import { detectorCropper, fixedCropper } from "../../src/sensors/video/video-cropper.ts";
import { stateHash } from "../../src/state/checkpoint.ts";
import type { DroppedEvents } from "../../src/streams/dropped-events.ts";
import {
  type PipelineOptions,
  type PipelineResult,
  runPipeline,
} from "../../src/streams/pipeline.ts";
import { deliveriesOf, scalar } from "./items.ts";
import { lineSink } from "./line-sink.ts";
import { fileRecorder, openLog, replayed } from "./record/record-run.ts";

const size = { width: 48, height: 48 };
const latenessUs = 0;

/** Sensors imu (a number) and cam (48×48). */
function cameraModel(convention?: string): FusionModel {
  const spec = parseGraphSpec({
    format: "polyphase.graph/v1",
    name: "camera",
    time: { origin: "session-start" },
    sensors: [
      { name: "imu", kind: "scalar", size: 1 },
      { name: "cam", kind: "video", ...size, ...(convention && { convention }) },
    ],
    layers: [
      { name: "m", cell: "phased-lstm", units: 8, inputs: ["imu", "cam"], gate: { mode: "phase" } },
    ],
    heads: [{ name: "h", type: "softmax", inputs: ["m"], labels: ["x", "y"] }],
  });
  const range = { periodUs: [500, 5000], openRatio: 0.5 } as const;
  const weights = seededWeights(spec, { m: range }, new Random(5));
  return createFusionModel(spec, weights, "camera-model", chooseKernel("auto").kernel);
}

/** A picture of 120 × 90 at 10 ms · seq; its brightest pixel is the place of the face, if it has one. */
function picture(seq: number, face?: readonly [number, number]): VideoEvent {
  const [width, height] = [120, 90];
  const random = new Random(seq);
  const pixels = Uint8Array.from({ length: width * height }, () => random.below(200));
  if (face !== undefined) pixels[face[1] * width + face[0]] = 255;
  const at = { stream: "s", sensor: "cam", timeUs: 10_000 * seq, seq };
  return { kind: "video", ...at, width, height, pixels };
}

const faceOf = ({ width, pixels }: Pick<VideoEvent, "width" | "pixels">) => {
  const at = pixels.indexOf(255);
  const [x, y] = [at % width, Math.floor(at / width)];
  const around = { left: x - 20, top: y - 20, right: x + 20, bottom: y + 20, confidence: 1 };
  return at < 0 ? undefined : around;
};
const cropper = detectorCropper(
  {
    name: "detector-test",
    // Later pictures are found sooner.
    detect: async (seen) => {
      await sleep(seen.pixels[0]! % 5);
      return faceOf(seen);
    },
  },
  1.5,
  size,
);
const croppers = new Map([["cam", cropper]]);

/** Pictures 2 and 5 show nobody. */
const items: readonly StreamItem[] = Array.from({ length: 8 }, (_, seq) => [
  picture(seq, seq === 2 || seq === 5 ? undefined : [15 * seq, 80 - 10 * seq]),
  scalar("imu", 10_000 * seq + 5_000, seq),
]).flat();

/** What the detector makes of them, by hand. */
const cropped: readonly StreamItem[] = await Promise.all(
  items
    .filter((item) => item.kind !== "video" || faceOf(item) !== undefined)
    .map(async (item) => {
      if (item.kind !== "video") return item;
      const box = squareAround(faceOf(item)!, 1.5, item.width, item.height);
      return { ...item, ...(await fixedCropper(box, size).crop(item))! };
    }),
);

async function run(
  given: readonly StreamItem[],
  options: Partial<PipelineOptions> = {},
): Promise<
  PipelineResult & { readonly lines: readonly string[]; readonly acknowledged: number[] }
> {
  const { deliveries, acknowledged } = deliveriesOf(given);
  const sink = lineSink();
  const result = await runPipeline({
    ...{ source: { open: () => from(deliveries) }, model: cameraModel(), sink },
    merge: () => ({
      sensors: ["imu", "cam"].map((name) => ({ name, latenessUs })),
      waitingMax: 100,
    }),
    onMalformed: "fail",
    ...options,
  });
  return { ...result, lines: sink.lines, acknowledged };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "polyphase-crop-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("croppers of a pipeline", () => {
  it("give the run of the crops; pictures that show nobody are counted, and are gaps", async () => {
    const dropped: DroppedEvents[] = [];
    const whole = await run(items, { croppers, onDrop: (drop) => dropped.push(drop) });
    expect(whole.counts.dropped).toEqual({ "no-face": 2 });
    expect(whole.counts.anomalies).toEqual({ "seq-gap": 2 });
    expect(whole.counts.taken).toBe(16);
    expect(whole.acknowledged).toHaveLength(16);
    expect(dropped.map(({ item }) => item.seq)).toEqual([2, 5]);
    const byHand = await run(cropped);
    expect(whole.lines).toEqual(byHand.lines);
    expect(whole.lines.length).toBeGreaterThan(10);
    const model = cameraModel();
    expect(stateHash(whole.streams, model)).toBe(stateHash(byHand.streams, model));
  });

  it("say in what is recorded how pictures were cut, which a model may ask for", async () => {
    const path = join(folder, "log.mcap");
    const recorder = await fileRecorder(cameraModel(), { policy: "drop" }, 30_000, {
      path: () => path,
    });
    const live = await run(items, { croppers, recorder });
    await recorder.close();
    const log = await openLog(path);
    const { convention } = cropper;
    expect(log.channels.find(({ sensor }) => sensor === "cam")).toMatchObject({
      convention,
      ...size,
    });
    for (const model of [cameraModel(), cameraModel(convention)]) {
      expect((await replayed(log, model)).lines).toEqual(live.lines);
    }
    await expect(replayed(log, cameraModel("crop/fixed-1,2,3,4/v1"))).rejects.toMatchObject({
      code: "BAD_EVENT",
      message: expect.stringContaining(`expected frames crop/fixed-1,2,3,4/v1, got ${convention}`),
    });
    await log.close();
    await expect(run(cropped, { model: cameraModel(convention) })).rejects.toThrow(
      `expected frames ${convention}, got no convention`,
    );
  });

  it("refuse pictures that were cut before, and those that do not hold the box", async () => {
    const again = cropped.map((item) => {
      return item.kind === "video" ? { ...item, convention: "crop/elsewhere/v1" } : item;
    });
    await expect(run(again, { croppers })).rejects.toThrow(
      "it must be a camera's whole picture, got one cropped before: crop/elsewhere/v1",
    );
    const fixed = new Map([["cam", fixedCropper({ x: 90, y: 0, width: 48, height: 48 }, size)]]);
    const { counts } = await run(items, { croppers: fixed, onMalformed: "drop" });
    expect(counts.dropped).toEqual({ malformed: 8 });
  });
});
