import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addCropOptions,
  type CropperOf,
  graphCroppers,
  openCrop,
} from "../../src/cli/crop-options.ts";
import { checkReplayOptions } from "../../src/cli/replay/replay-options.ts";
import type { FusionGraph } from "../../src/fusion/fusion-graph.ts";
import { tinyDetector } from "../backends/tiny-detector.ts";

let folder: string;
let detector: string;
const sha256 = createHash("sha256").update(tinyDetector("ssd")).digest("hex");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polyphase-crop-"));
  detector = join(folder, "face.onnx");
  writeFileSync(detector, tinyDetector("ssd"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What these arguments open, as a command would. */
async function opened(
  args: readonly string[],
  said: string[] = [],
): Promise<CropperOf | undefined> {
  const command = addCropOptions(new Command().exitOverride(), "as it is");
  command.parse(args, { from: "user" });
  return openCrop(command.opts(), (message) => said.push(message));
}

describe("openCrop()", () => {
  it("opens what is asked for, and tells which detector that is", async () => {
    const size = { width: 48, height: 48 };
    const said: string[] = [];
    expect(await opened([], said)).toBeUndefined();
    const fixed = await opened(["--box", "1,2,30,40"], said);
    expect(fixed!(size).convention).toBe("crop/fixed-1,2,30,40/v1");
    expect(said).toEqual([]);
    const margin = ["--crop-margin", "1.4", "--detector-score", "0.5"];
    const found = await opened(["--crop", "detector", "--detector", detector, ...margin], said);
    expect(found!(size).convention).toBe(
      `crop/detector-ssd-score0.5-sha256:${sha256}-margin1.4/v1`,
    );
    expect(said).toEqual([`detector ${detector}: ssd, 32x24, stretch, sha256 ${sha256}`]);
    const fitted = [...margin, "--detector-fit", "letterbox"];
    const boxed = await opened(["--crop", "detector", "--detector", detector, ...fitted], said);
    expect(boxed!(size).convention).toBe(
      `crop/detector-ssd-letterbox114-score0.5-sha256:${sha256}-margin1.4/v1`,
    );
    expect(said.at(-1)).toContain("ssd, 32x24, letterbox, sha256");
  });

  it("refuses options that do not go together, and other detectors", async () => {
    const other = "0".repeat(64);
    const withDetector = ["--crop", "detector", "--detector", detector];
    const cases: readonly (readonly [string, string, readonly string[]])[] = [
      ["USAGE", "--crop detector needs --detector file.onnx", ["--crop", "detector"]],
      ["USAGE", "--detector goes with --crop detector", ["--detector", detector]],
      ["USAGE", "--detector-fit goes with --crop detector", ["--detector-fit", "letterbox"]],
      ["USAGE", "--box goes with --crop fixed", ["--crop", "precropped", "--box", "1,2,3,4"]],
      ["USAGE", "--crop fixed needs --box", ["--crop", "fixed"]],
      ["FILE_NOT_FOUND", "no such file", [...withDetector, "--detector", join(folder, "none")]],
      [
        "BAD_MODEL",
        `its sha256 must be ${other}, got ${sha256}`,
        [...withDetector, "--detector-sha256", other],
      ],
      ["BAD_MODEL", "outputs of kind rows must be", [...withDetector, "--detector-kind", "rows"]],
    ];
    for (const [code, message, args] of cases) {
      await expect(opened(args), args.join(" ")).rejects.toMatchObject({
        ...{ code, message: expect.stringContaining(message) },
      });
    }
  });

  it("is refused in parallel, where pictures are recorded as they were cut", () => {
    const options = { rate: "max", parallel: 2, box: { x: 1, y: 2, width: 3, height: 4 } } as const;
    expect(() => checkReplayOptions(options, false)).toThrow("leave out --box");
  });
});

describe("graphCroppers()", () => {
  const graphOf = (convention?: string): FusionGraph => {
    const video = { name: "eye", kind: "video", width: 48, height: 48, mean: 128, deviation: 64 };
    const spec = convention === undefined ? video : { ...video, convention };
    return { spec: { name: "lips" }, sensors: [{ spec }] } as unknown as FusionGraph;
  };

  it("refuses before the run a cut that the model does not take", async () => {
    const fixed = await opened(["--box", "1,2,30,40"]);
    const { croppers } = graphCroppers(graphOf("crop/fixed-1,2,30,40/v1"), fixed);
    expect(croppers?.get("eye")?.convention).toBe("crop/fixed-1,2,30,40/v1");
    expect(graphCroppers(graphOf(), fixed).croppers?.size).toBe(1);
    expect(() => graphCroppers(graphOf("crop/fixed-0,2,30,40/v1"), fixed)).toThrow(
      "Cannot crop pictures: sensor eye of the model takes crop/fixed-0,2,30,40/v1, got crop/fixed-1,2,30,40/v1",
    );
  });
});
