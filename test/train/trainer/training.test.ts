import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRatioOf } from "../../../src/train/sequence-op/sequence-op.ts";
import { parityDefaults, parityTask } from "../../../src/train/tasks/parity.ts";
import type { TrainTask } from "../../../src/train/tasks/train-task.ts";
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
  it("refuses features that are not numbers before it moves a parameter, naming the event", () => {
    const task = parityTask(short);
    const broken: TrainTask = {
      ...task,
      writeBatch(writer, random, progress) {
        task.writeBatch(
          {
            hasRoom: () => writer.hasRoom(),
            event: (timeUs, first, second) =>
              writer.event(timeUs, timeUs === 2_000 ? Number.NaN : first, second),
            pixel: () => {},
            item: () => {},
            read: () => {},
            endRecording: () => {},
            endSequence: (target, readShare) => writer.endSequence(target, readShare),
          },
          random,
          progress,
        );
      },
    };
    const state = createTraining(broken, 1);
    const before = parameters(state);
    expect(() => trainBatch(state)).toThrow(
      "sequence 0: time and features of event 2 must be finite",
    );
    expect(parameters(state)).toEqual(before);
  });
  it("lets closed units leak less and less, and charges for open ones, as the recipe says", () => {
    const task = parityTask({ ...short, evaluate: "all" });
    const leak = { start: 0.01, zeroFrom: 0.5 };
    const state = createTraining({ ...task, recipe: { ...task.recipe, leak } }, 1);
    const leaks = Array.from({ length: 40 }, () => {
      trainBatch(state);
      return state.network.layer.leak;
    });
    expect(leaks[0]).toBe(0.01);
    expect(leaks[10]).toBeCloseTo(0.005, 12);
    expect(leaks.slice(20)).toEqual(new Array(20).fill(0));
  });
  it("opens units less if open ones cost", () => {
    const learn = { period: false, shift: false, openRatio: true, rateFactor: 1 };
    const meanOpen = (openPenalty: number): number => {
      const task = parityTask({ ...short, learn });
      const state = createTraining({ ...task, recipe: { ...task.recipe, openPenalty } }, 1);
      for (let i = 0; i < 40; i++) trainBatch(state);
      const ratios = Array.from(state.network.layers[0]!.parameters.openLogit, openRatioOf);
      return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    };
    expect(meanOpen(5)).toBeLessThan(meanOpen(0) - 0.05);
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

/** A file system of 64 KiB, where this process may mount one. */
async function withSmallDisk(use: (disk: string) => Promise<void>): Promise<boolean> {
  const disk = join(directory, "disk");
  await mkdir(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
  if (mounted.status !== 0) return false;
  try {
    await use(disk);
  } finally {
    spawnSync("umount", [disk]);
  }
  return true;
}

describe("saveCheckpoint", () => {
  it("keeps the last good checkpoint if the disk is full, and says so", async (context) => {
    const ran = await withSmallDisk(async (disk) => {
      const path = join(disk, "checkpoint.safetensors");
      const state = createTraining(parityTask(short), 1);
      await saveCheckpoint(path, state);
      const good = await readFile(path);
      await writeFile(join(disk, "filler"), new Uint8Array(64 * 1024)).catch(() => {});
      trainBatch(state);
      await expect(saveCheckpoint(path, state)).rejects.toThrow(
        /ENOSPC.*the one before it is kept/,
      );
      expect(await readFile(path)).toEqual(good);
      const resumed = createTraining(parityTask(short), 1);
      await loadCheckpoint(path, resumed);
      expect(resumed.batch).toBe(0);
    });
    if (!ran) context.skip("no right to mount a small file system");
  });
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
