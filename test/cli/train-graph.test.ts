import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-cli-graph-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function polyphase(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["dist/cli/main.js", ...args], { encoding: "utf8" });
}

const small = ["--batches", "30", "--units", "12", "--report-every", "10"];

describe("polyphase train audio-visual", { timeout: 60_000 }, () => {
  it("trains two sensors on threads, shows what each is worth, and its model runs", async () => {
    const out = join(directory, "av");
    const trained = polyphase("train", "audio-visual", "--out", out, ...small, "--workers", "2");
    expect([trained.status, trained.stderr]).toEqual([0, expect.stringContaining("30/30")]);
    const { test, model } = JSON.parse(trained.stdout);
    expect(test.accuracy).toBeGreaterThan(0.4);
    expect(Object.keys(test.without)).toEqual(["audio", "video"]);
    expect(test.without.video.accuracy).toBeLessThan(test.accuracy);
    const evaluated = polyphase("eval", "audio-visual", "--model", model, "--json");
    const evaluation = JSON.parse(evaluated.stdout);
    expect(evaluation.n).toBe(2048);
    // Means over five ticks: of logits in training, of log-probabilities here; rounding aside the same order.
    expect(Math.abs(evaluation.accuracy - test.accuracy)).toBeLessThan(0.002);
    expect(evaluation.openFraction["merge-1"]).toBeCloseTo(0.1, 2);
    const blind = polyphase(
      "eval",
      "audio-visual",
      "--model",
      model,
      "--without",
      "video",
      "--json",
    );
    expect(JSON.parse(blind.stdout).accuracy).toBeCloseTo(test.without.video.accuracy, 2);

    const adapted = join(directory, "adapted");
    const how = ["--start", model, "--errors", "local", "--freeze", "audio-lstm,video-lstm"];
    const again = polyphase("train", "audio-visual", "--out", adapted, ...small, ...how);
    expect(again.status).toBe(0);
    expect(JSON.parse(again.stdout).test.accuracy).toBeGreaterThan(test.accuracy - 0.1);
    const log = await readFile(join(adapted, "train.jsonl"), "utf8");
    expect(JSON.parse(log.split("\n")[0]!).accuracy).toBeGreaterThan(0.4);
  });
  it("refuses a task of one layer, half a list, and a sensor that the model has not", () => {
    const none = join(directory, "refused");
    const oneLayer = polyphase("train", "frequency", "--window-ms", "100", "--out", none);
    expect([oneLayer.status, oneLayer.stderr]).toEqual([
      64,
      expect.stringContaining("windowMs needs a graph of several sensors"),
    ]);
    const half = polyphase("train", "audio-visual", "--absent", "audio", "--out", none);
    expect([half.status, half.stderr]).toEqual([
      64,
      expect.stringContaining("It must be from 0 to below 1"),
    ]);
    const model = "fixtures/models/frequency";
    const refused = polyphase("eval", "freq", "--model", model, "--without", "video");
    expect([refused.status, refused.stderr]).toEqual([
      64,
      expect.stringContaining("it must be one of several sensors, the model has signal"),
    ]);
    for (const task of ["adding", "pen", "parity"]) {
      const other = polyphase("eval", task, "--model", model);
      expect([other.status, other.stderr]).toEqual([
        78,
        expect.stringContaining(
          `Cannot evaluate ${task}: ${model} must be a model of that task, it was trained on frequency`,
        ),
      ]);
    }
    const unknown = polyphase("eval", "speech", "--model", model);
    expect([unknown.status, unknown.stderr]).toEqual([
      64,
      expect.stringContaining('Cannot evaluate "speech": task must be one of frequency,'),
    ]);
  });
});

describe("polyphase train pen", { timeout: 60_000 }, () => {
  it("trains a density whose scores tell glitches from strokes", () => {
    const out = join(directory, "pen");
    const how = ["--batches", "120", "--units", "12", "--report-every", "40"];
    const trained = polyphase("train", "pen", "--out", out, ...how);
    expect([trained.status, trained.stderr]).toEqual([0, expect.stringContaining("120/120")]);
    const { model } = JSON.parse(trained.stdout);
    const evaluated = polyphase("eval", "pen", "--model", model, "--json");
    const evaluation = JSON.parse(evaluated.stdout);
    expect(evaluation).toMatchObject({ task: "pen", n: 25_472, anomalies: 500 });
    expect(evaluation.areaUnderCurve).toBeGreaterThan(0.9);
    expect(evaluation.areaUnderCurve).toBeGreaterThan(evaluation.distanceAreaUnderCurve);
  });
  it("refuses cells and beginnings that a graph has not", () => {
    const none = join(directory, "refused");
    const cell = polyphase("train", "pen", "--cell", "bn-lstm", "--out", none);
    expect([cell.status, cell.stderr]).toEqual([
      64,
      expect.stringContaining("cell must be phased-lstm, square-lstm or lstm, got bn-lstm"),
    ]);
    const identity = polyphase("train", "pen", "--identity", "1", "--out", none);
    expect([identity.status, identity.stderr]).toEqual([
      64,
      expect.stringContaining("Cannot start from the identity: pen is a graph"),
    ]);
  });
});
