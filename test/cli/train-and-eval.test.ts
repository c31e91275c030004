import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readModelDirectory, storedModel } from "../../src/state/model-directory.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-cli-train-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function polyphase(...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/main.js", ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("polyphase train and eval", { timeout: 60_000 }, () => {
  it("train a small model, and measure it in the streaming graph", async () => {
    const out = join(directory, "run");
    const options = ["--units", "20", "--batches", "60", "--report-every", "20"];
    const trained = polyphase("train", "frequency", "--out", out, ...options);
    expect(trained.stderr).not.toContain("Error");
    expect(trained.status).toBe(0);
    const { test, model } = JSON.parse(trained.stdout);
    const read = await readModelDirectory(model);
    expect(storedModel(read.spec, read.weights).hash).toBe(read.hash);
    const evaluated = polyphase("eval", "freq", "--model", model, "--json", "--limit", "1024");
    const evaluation = JSON.parse(evaluated.stdout);
    expect(evaluation.n).toBe(1024);
    // The first 1,024 of 65,536 sequences.
    expect(Math.abs(evaluation.accuracy - test.accuracy)).toBeLessThan(0.06);
    expect(evaluation.openFraction["signal-lstm"]).toBeCloseTo(test.openFraction, 2);
    const log = (await readFile(join(out, "train.jsonl"), "utf8")).trim().split("\n");
    expect(log).toHaveLength(3);
    const curve = await readFile(join(out, "curve.svg"), "utf8");
    expect(curve).toContain("frequency, seed 1");
    // Three reports, one of them with a validation, in two panels.
    const lines = [...curve.matchAll(/polyline points="([^"]*)"/g)].map(([, points]) => points);
    expect(lines.map((points) => points!.split(" ").length)).toEqual([3, 1, 3, 1]);
  });
  it("train a baseline without a model, which the streaming graph could not run", () => {
    const out = join(directory, "baseline");
    const options = ["--cell", "bn-lstm", "--units", "8", "--batches", "20", "--identity", "0.5"];
    const trained = polyphase("train", "parity", "--out", out, ...options);
    expect([trained.status, trained.stderr]).toEqual([0, expect.stringContaining("no model/")]);
    const { test, model } = JSON.parse(trained.stdout);
    expect(test.openFraction).toBe(1);
    expect(model).toBeUndefined();
  });
  it("refuse unknown tasks, missing models and models of another task, with the right status", async () => {
    const unknown = polyphase("train", "weather", "--out", join(directory, "w"));
    expect([unknown.status, unknown.stderr]).toEqual([
      64,
      expect.stringContaining("task must be one of frequency, adding, nmnist, parity"),
    ]);
    const none = polyphase(
      "train",
      "nmnist",
      "--out",
      "n",
      "--data",
      directory,
      "--simulated",
      "0",
    );
    expect([none.status, none.stderr]).toEqual([
      64,
      expect.stringContaining("simulated must be at least 1, got 0"),
    ]);
    const nowhere = polyphase("eval", "freq", "--model", join(directory, "none"));
    expect(nowhere.status).toBe(78);
    await writeFile(join(directory, "1.bs2"), Uint8Array.of(3, 3, 0, 0, 9));
    await writeFile(join(directory, "classes.txt"), "1 5\n");
    const model = join(directory, "run", "model");
    const other = polyphase("eval", "nmnist", "--model", model, "--data", directory);
    expect([other.status, other.stderr]).toEqual([
      78,
      expect.stringContaining("must be a model of that task, it was trained on"),
    ]);
  });
});
