import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parityDefaults, parityTask } from "../../../src/train/tasks/parity.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../src/train/trainer/checkpoint.ts";
import { type RunOptions, runTraining } from "../../../src/train/trainer/run-training.ts";
import {
  createTraining,
  measureHeldOut,
  type TrainingState,
  trainBatch,
} from "../../../src/train/trainer/train-network.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-train-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const short = { ...parityDefaults, cell: "phased-lstm" as const, batches: 40 };

function parameters(state: TrainingState): number[][] {
  return state.network.groups.map((group) => Array.from(group.values));
}

function options(overrides: Partial<RunOptions> = {}): RunOptions {
  return {
    directory,
    reportEvery: 10,
    validateEvery: 20,
    patience: 0,
    onReport: () => {},
    stop: new AbortController().signal,
    ...overrides,
  };
}

describe("trainBatch", () => {
  it("learns parity to 99 % with a recurrent cell, in every implementation", () => {
    const state = createTraining(parityTask(parityDefaults), 1);
    for (let i = 0; i < parityDefaults.batches; i++) trainBatch(state);
    expect(measureHeldOut(state, "test").accuracy).toBeGreaterThan(0.99);
  });
  it("gives the same bits for the same seed, and others for another", () => {
    const run = (seed: number): number[][] => {
      const state = createTraining(parityTask(short), seed);
      for (let i = 0; i < 20; i++) trainBatch(state);
      return parameters(state);
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });
  it("stops before it moves a parameter if the loss is not a number", () => {
    const state = createTraining(parityTask(short), 1);
    state.network.readout.bias[0] = Number.NaN;
    const before = parameters(state);
    expect(() => trainBatch(state)).toThrow("loss and gradient must be finite");
    expect(parameters(state)).toEqual(before);
  });
  it("refuses a seed that is not a whole number", () => {
    expect(() => createTraining(parityTask(short), 1.5)).toThrow("seed must be");
  });
});

describe("measureHeldOut", () => {
  it("measures at a leak of 0 whatever was trained with, and the same again", () => {
    const state = createTraining(parityTask(short), 1);
    const first = measureHeldOut(state, "validation");
    expect(measureHeldOut(state, "validation")).toEqual(first);
    expect(first.openFraction).toBeGreaterThan(0.3);
    expect(first.openFraction).toBeLessThan(0.7);
  });
});

describe("runTraining", () => {
  it("goes on after an interruption with the bits of a run that had none", async () => {
    const whole = createTraining(parityTask(short), 3);
    await runTraining(whole, options({ directory: join(directory, "whole") }));

    const stop = new AbortController();
    const first = createTraining(parityTask(short), 3);
    const interrupted = runTraining(
      first,
      options({ stop: stop.signal, onReport: () => stop.abort() }),
    );
    await expect(interrupted).rejects.toThrow("Interrupted after batch 10");
    const second = createTraining(parityTask(short), 3);
    expect(await runTraining(second, options())).toBe("complete");
    expect(parameters(second)).toEqual(parameters(whole));
  });
  it("logs every report as a line of JSON, validations among them", async () => {
    await runTraining(createTraining(parityTask(short), 1), options());
    const log = await readFile(join(directory, "train.jsonl"), "utf8");
    const lines = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.batch)).toEqual([10, 20, 30, 40]);
    expect(lines.map((line) => line.validation !== undefined)).toEqual([false, true, false, true]);
    expect(lines[3].validation.openFraction).toBeGreaterThan(0);
  });
  it("stops early once validations stop getting better", async () => {
    const task = { ...parityTask({ ...short, rate: 0 }) };
    const state = createTraining(task, 1);
    expect(await runTraining(state, options({ validateEvery: 5, patience: 2 }))).toBe(
      "stopped-early",
    );
    expect(state.batch).toBeLessThan(40);
  });
});

describe("saveCheckpoint", () => {
  it("keeps the last good checkpoint if the disk refuses", async () => {
    const path = join(directory, "checkpoint.safetensors");
    const state = createTraining(parityTask(short), 1);
    await saveCheckpoint(path, state);
    const good = await readFile(path);
    trainBatch(state);
    // A directory where the temporary file should be: opening it fails, as a full disk would.
    await mkdir(`${path}.partial`);
    await expect(saveCheckpoint(path, state)).rejects.toThrow("the one before it is kept");
    expect(await readFile(path)).toEqual(good);
  });
});

describe("loadCheckpoint", () => {
  it("refuses a checkpoint of another network, recipe or seed, and one that is no checkpoint", async () => {
    const path = join(directory, "checkpoint.safetensors");
    await saveCheckpoint(path, createTraining(parityTask(short), 1));
    const other = createTraining(parityTask({ ...short, units: 13 }), 1);
    await expect(loadCheckpoint(path, other)).rejects.toThrow("of the same task, options and seed");
    const seed = createTraining(parityTask(short), 2);
    await expect(loadCheckpoint(path, seed)).rejects.toThrow("of the same task, options and seed");
    await writeFile(path, "nothing of the kind");
    const same = createTraining(parityTask(short), 1);
    await expect(loadCheckpoint(path, same)).rejects.toThrow(/Cannot resume from .*checkpoint/);
  });
});
