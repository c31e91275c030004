import { describe, expect, it } from "vitest";
import type { SequenceNetwork } from "../../../src/train/network/sequence-network.ts";
import {
  rowIndex,
  rowLength,
  type SequenceOp,
} from "../../../src/train/sequence-op/sequence-op.ts";
import type { CellName } from "../../../src/train/tasks/cell-name.ts";
import { createTask } from "../../../src/train/tasks/create-task.ts";
import type { CellOptions } from "../../../src/train/tasks/task-network.ts";
import { createTraining } from "../../../src/train/trainer/train-network.ts";

describe("createTask", () => {
  it("learns of the gates what is asked for, and leaves the rest as it starts", async () => {
    const task = await createTask("parity", { cell: "phased-lstm", learn: ["shift"] });
    const factors = createTraining(task, 1).network.groups.map(
      ({ name, rateFactor }) => [name, rateFactor] as const,
    );
    expect(Object.fromEntries(factors)).toMatchObject({
      "layer.logPeriod": 0,
      "layer.shift": 0.1,
      "layer.openLogit": 0,
    });
  });
  it("puts average, leak and penalty into the recipe, and into what a checkpoint belongs to", async () => {
    const task = await createTask("frequency", {
      average: 0.99,
      leak: 0.001,
      openPenalty: 0.2,
      learn: ["open-ratio"],
    });
    const changes = {
      averageDecay: 0.99,
      leak: { start: 0.001, zeroFrom: 0.8 },
      openPenalty: 0.2,
    };
    expect(task.recipe).toMatchObject(changes);
    expect(task.options).toMatchObject(changes);
    // A leak needs closed units evaluated.
    expect((task.options as CellOptions).evaluate).toBe("all");
  });
  it("refuses choices that would do nothing or cannot be", async () => {
    const leaking = createTask("frequency", { leak: 0.001, cell: "lstm" });
    await expect(leaking).rejects.toThrow("cell must be phased-lstm");
    const charged = createTask("frequency", { openPenalty: 0.2 });
    await expect(charged).rejects.toThrow("open-ratio must be among what is learned");
  });
  it("gives the time as an input to cells without a time gate, and to no other", async () => {
    const inputsOf = async (cell: CellName): Promise<number> => {
      const { network } = createTraining(await createTask("frequency", { cell, units: 4 }), 1);
      return (network as SequenceNetwork).layer.shape.inputs;
    };
    for (const cell of ["phased-lstm", "square-lstm"] as const) {
      expect(await inputsOf(cell)).toBe(1);
    }
    for (const cell of ["lstm", "bn-lstm", "tanh-rnn", "relu-rnn"] as const) {
      expect(await inputsOf(cell)).toBe(2);
    }
  });
  it("starts an LSTM with the identity where that is asked for", async () => {
    const task = await createTask("parity", { cell: "lstm", units: 5, identity: 0.7 });
    const { layer } = createTraining(task, 1).network as SequenceNetwork & { layer: SequenceOp };
    const length = rowLength(layer.shape);
    for (let gate = 0; gate < 4; gate++) {
      for (let m = 0; m < 5; m++) {
        const weight = layer.parameters.rows[rowIndex(length, 2, gate, m)];
        expect(weight).toBe(m === 2 ? Math.fround(0.7) : 0);
      }
    }
  });
  it("refuses for baselines what they have not", async () => {
    const cases = [
      ["frequency", { cell: "lstm", learn: ["period"] }, "must have a time gate, got lstm"],
      ["frequency", { cell: "bn-lstm", op: "typescript" }, "op must be wasm"],
      ["frequency", { cell: "tanh-rnn", shards: 2 }, "takes a batch as a whole"],
      ["frequency", { network: "frame-cnn" }, "it is for nmnist"],
      ["nmnist", { network: "frame-cnn", cell: "lstm" }, "no choice of cell"],
      ["audio-visual", { cell: "relu-rnn" }, "networks of one layer"],
    ] as const;
    for (const [name, choices, message] of cases) {
      await expect(createTask(name, choices)).rejects.toThrow(message);
    }
  });
  it.each([
    ["frequency", { freeze: ["layer"] }, "freeze needs a graph of several sensors"],
    ["audio-visual", { freeze: ["ear"] }, "it must be one of audio-lstm, video-lstm"],
    ["audio-visual", { absent: { smell: 0.1 } }, "sensors are audio, video"],
    ["audio-visual", { lost: { audio: 2 } }, "probabilities from 0 to 1"],
    ["audio-visual", { absent: { audio: 0.6, video: 0.6 } }, "at most one is absent"],
    ["frequency", { shards: 0 }, "shards must be at least 1, got 0"],
    ["pen", { freeze: ["pen-lstm"] }, "freeze needs a graph of several sensors"],
    ["audio-visual", { leak: 0.001 }, "skips closed units"],
    ["audio-visual", { start: "fixtures/models/frequency" }, "must have one of audio-lstm"],
  ])("refuses for %s: %j", async (name, choices, message) => {
    const begin = async (): Promise<unknown> => createTraining(await createTask(name, choices), 1);
    await expect(begin()).rejects.toThrow(message);
  });
  it("cuts recordings into windows that hold all of them", async () => {
    const task = await createTask("audio-visual", { windowMs: 300 });
    expect(task.recipe.windows).toEqual({ count: 6, durationUs: 300_000 });
  });
  it("refuses a task that it does not know", async () => {
    await expect(createTask("weather", {})).rejects.toThrow("task must be one of frequency");
  });
});
