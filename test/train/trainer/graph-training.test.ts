import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TrainableNetwork } from "../../../src/train/network/trainable-network.ts";
import {
  type AnyTask,
  createTask,
  type TaskChoices,
} from "../../../src/train/tasks/create-task.ts";
import { TrainingThreads } from "../../../src/train/trainer/parallel/training-threads.ts";
import { type RunOptions, runTraining } from "../../../src/train/trainer/run-training.ts";
import {
  createTraining,
  measureHeldOut,
  type TrainingState,
  trainBatch,
} from "../../../src/train/trainer/train-network.ts";

// Threads start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-graph-train-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Everything at once: windows that end inside words, masks, dropout, an average. */
const everything: TaskChoices = {
  batches: 14,
  units: 8,
  windowMs: 250,
  absent: { audio: 0.2, video: 0.2 },
  lost: { video: 0.1 },
  dropout: 0.2,
  average: 0.9,
};

async function training(
  choices: TaskChoices,
  name = "audio-visual",
): Promise<TrainingState<ReturnType<AnyTask["createNetwork"]>>> {
  return createTraining(await createTask(name, choices), 3);
}

function bits(state: TrainingState<TrainableNetwork>): number[][] {
  return [...state.network.groups.map(({ values }) => [...values]), [...state.network.carried]];
}

function options(overrides: Partial<RunOptions> = {}): RunOptions {
  return {
    directory,
    reportEvery: 1,
    validateEvery: 100,
    patience: 0,
    onReport: () => {},
    stop: new AbortController().signal,
    ...overrides,
  };
}

describe("trainBatch of a graph", () => {
  it("learns words that need both sensors, and shows what each of them is worth", async () => {
    const state = await training({ batches: 110 });
    for (let batch = 0; batch < 110; batch++) trainBatch(state);
    expect(measureHeldOut(state, "validation").accuracy).toBeGreaterThan(0.95);
    const chance = { audio: 0.5, video: 0.5 };
    Object.values(chance).forEach((share, sensor) => {
      expect(measureHeldOut(state, "validation", { without: sensor }).accuracy).toBeLessThan(
        share + 0.1,
      );
    });
  });
  it("measures recordings window by window with the numbers of the whole", async () => {
    const [windows, whole] = await Promise.all([
      training(everything),
      training({ ...everything, windowMs: 10_000 }),
    ]);
    const expected = measureHeldOut(whole, "validation");
    const measured = measureHeldOut(windows, "validation");
    expect(measured.sequences).toBe(512);
    expect(measured.loss).toBeCloseTo(expected.loss, 1);
    expect(measured.openFraction).toBeCloseTo(expected.openFraction, 10);
  });
  it("moves nothing in a window in which no answer is due", async () => {
    const state = await training({ ...everything, absent: {}, windowMs: 100, average: 0 });
    // The first word lasts 0.3 s.
    const before = state.network.groups.map(({ values }) => [...values]);
    const steps = [trainBatch(state), trainBatch(state)];
    expect(steps.map(({ sequences }) => sequences)).toEqual([0, 0]);
    expect(state.network.groups.map(({ values }) => [...values])).toEqual(before);
    for (let batch = 2; batch < 14; batch++) trainBatch(state);
    expect(state.network.groups.map(({ values }) => [...values])).not.toEqual(before);
  });
  it("leaves what is frozen as it started, and moves the rest", async () => {
    const state = await training({ batches: 3, freeze: ["audio-lstm", "merge-1"] });
    const before = new Map(state.network.groups.map(({ name, values }) => [name, [...values]]));
    for (let batch = 0; batch < 3; batch++) trainBatch(state);
    const moved = state.network.groups.filter(
      ({ name, values }) => before.get(name)!.join() !== [...values].join(),
    );
    expect(new Set(moved.map(({ name }) => name.split(".")[0]))).toEqual(
      new Set(["video-lstm", "merge-2", "word"]),
    );
  });
  it("learns with local errors too", async () => {
    const state = await training({ batches: 60, errors: "local" });
    for (let batch = 0; batch < 60; batch++) trainBatch(state);
    expect(measureHeldOut(state, "validation").accuracy).toBeGreaterThan(0.6);
  });
});

describe("shards", () => {
  it("sum to the gradient of the whole batch", async () => {
    const one = await training({ batches: 20 });
    const four = await training({ batches: 20, shards: 4 });
    const uneven = await training({ batches: 20, shards: 5 });
    for (const state of [one, four, uneven]) {
      const { loss, gradientNorm } = trainBatch(state);
      expect(loss).toBeCloseTo(1.4, 0);
      expect(gradientNorm).toBeGreaterThan(0);
    }
    const [a, b, c] = [one, four, uneven].map((state) => state.network.groups[0]!.values);
    // Adam's first step is about the sign of the gradient, so rounding shows only where it is 0.
    a!.forEach((value, m) => {
      expect(Math.abs(value - b![m]!)).toBeLessThan(1e-4);
      expect(Math.abs(value - c![m]!)).toBeLessThan(1e-4);
    });
  });
  it.each([
    ["audio-visual", { ...everything, shards: 5 }],
    ["frequency", { batches: 3, units: 20, shards: 4 }],
  ])("give the same bits on any number of threads, and on none (%s)", async (name, choices) => {
    const alone = await training(choices, name);
    await runTraining(alone, options({ directory: join(directory, "alone") }));
    for (const count of [1, 3]) {
      const state = await training(choices, name);
      const data = { task: name, choices, seed: 3, memory: state.shards! };
      const entry = new URL("./typescript-training-thread.mjs", import.meta.url);
      const threads = new TrainingThreads(count, data, entry);
      try {
        await runTraining(state, options({ directory: join(directory, `${count}`), threads }));
      } finally {
        await threads.close();
      }
      expect(bits(state)).toEqual(bits(alone));
    }
  });
  it("fail with what a thread failed with, and keep failing once it has ended", async () => {
    const choices = { batches: 3, shards: 2, units: 8 };
    const state = await training(choices);
    const data = { task: "audio-visual", choices, seed: 3, memory: state.shards! };
    const entry = new URL("./typescript-training-thread.mjs", import.meta.url);
    const threads = new TrainingThreads(1, data, entry);
    try {
      const numbers = new Float64Array(new SharedArrayBuffer(64)).fill(0);
      // An event of sensor 0 before the session began.
      numbers.set([3, -5, 0, 2]);
      const job = {
        tape: { numbers, starts: [0, 6] },
        range: { from: 0, to: 1, window: undefined },
        continues: false,
        dropoutSeed: 0,
        leak: 0,
      };
      await expect(threads.run(job)).rejects.toThrow("events must be in order of time");
    } finally {
      await threads.close();
    }
    await expect(runTraining(state, options({ threads }))).rejects.toThrow("a thread has ended");
  });
});

describe("runTraining of a graph", () => {
  it.each([
    ["alone", undefined],
    ["in shards", 3],
  ])(
    "goes on inside a recording with the bits of a run that had no interruption (%s)",
    async (_, shards) => {
      const choices = shards === undefined ? everything : { ...everything, shards };
      const whole = await training(choices);
      await runTraining(whole, options({ directory: join(directory, "whole") }));
      const stop = new AbortController();
      const first = await training(choices);
      // Seven windows make a recording.
      const interrupted = runTraining(
        first,
        options({ stop: stop.signal, onReport: ({ batch }) => batch === 10 && stop.abort() }),
      );
      await expect(interrupted).rejects.toThrow("Interrupted after batch 10");
      const second = await training(choices);
      await runTraining(second, options());
      expect(bits(second)).toEqual(bits(whole));
    },
  );
});
