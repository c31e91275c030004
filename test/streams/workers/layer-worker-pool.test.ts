import { afterAll, describe, expect, it, vi } from "vitest";
import type {
  BatchLayerKernel,
  EventBatch,
  LayerState,
} from "../../../src/cells/kernels/kernel.ts";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import { LayerWorkerPool } from "../../../src/streams/workers/layer-worker-pool.ts";
import { shardOf } from "../../../src/streams/workers/sharded-workers.ts";
import { randomLayer, uniform } from "../../cells/kernels/random-layer.ts";

// Thousands of cases, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const kernel = createWasmKernel();
const entry = new URL("./typescript-worker.mjs", import.meta.url);
const pool = new LayerWorkerPool(kernel, { workers: 2, entry });
afterAll(() => pool.close());

const address = kernel.writeLayer(
  randomLayer({
    cell: "phased-lstm",
    gate: "phase",
    inputs: 5,
    units: 70,
    openRatio: 0.1,
    seed: 3,
  }),
);
const layer = kernel.attachLayer(address);
const eventsPerJob = 40;

function fillBatch(layer: BatchLayerKernel, batch: EventBatch, stream: number, job: number): void {
  const next = uniform(1000 * stream + job);
  for (let n = 0; n < eventsPerJob; n++) {
    batch.timesUs[n] = 1_000_000 * job + Math.floor(next(0, 900_000));
  }
  for (let n = 0; n < eventsPerJob * layer.inputs; n++) batch.inputs[n] = next(-1, 1);
}

const newState = (): LayerState => layer.bind(kernel.allocate(layer.stateLength), 0);
const newBatch = (): EventBatch => layer.createBatch(eventsPerJob, { keepOutputs: true });

describe("LayerWorkerPool", () => {
  it("run() gives the bits of one thread for every stream, with many jobs under way", async () => {
    const streams = Array.from({ length: 8 }, (_, s) => s);
    const jobs = [0, 1, 2, 3, 4];
    const results = streams.map((stream) => {
      const state = newState();
      const batches = jobs.map((job) => {
        const batch = newBatch();
        fillBatch(layer, batch, stream, job);
        return batch;
      });
      const open = batches.map((batch) =>
        pool.run(`stream-${stream}`, address, state, batch, eventsPerJob),
      );
      return { stream, state, batches, open };
    });
    for (const { stream, state, batches, open } of results) {
      const opened = await Promise.all(open);
      const expected = newState();
      const batch = newBatch();
      jobs.forEach((job) => {
        fillBatch(layer, batch, stream, job);
        expect(opened[job]).toBe(layer.run(expected, batch, eventsPerJob));
        expect(batches[job]!.outputs.slice()).toEqual(batch.outputs.slice());
      });
      expect(state.h.slice()).toEqual(expected.h.slice());
      expect(state.c.slice()).toEqual(expected.c.slice());
    }
  });

  it("run() fails, and keeps failing, when the stream's thread has ended", async () => {
    const short = new LayerWorkerPool(kernel, { workers: 1, entry });
    const state = newState();
    const batch = newBatch();
    // More events than the batch has: a RangeError in the thread, which ends it.
    await expect(short.run("a", address, state, batch, eventsPerJob + 1)).rejects.toMatchObject({
      code: "FAILED",
    });
    await expect(short.run("a", address, state, batch, 1)).rejects.toThrow("worker 0 has ended");
    await short.close();
  });

  it("close() fails the jobs under way", async () => {
    const closing = new LayerWorkerPool(kernel, { workers: 1, entry });
    const job = closing.run("a", address, newState(), newBatch(), 1);
    const failed = expect(job).rejects.toThrow("has ended");
    await closing.close();
    await failed;
  });

  it("refuses a number of workers that is none", () => {
    expect(() => new LayerWorkerPool(kernel, { workers: 0 })).toThrow(RangeError);
  });
});

describe("shardOf()", () => {
  it("spreads names evenly and always alike", () => {
    const counts = [0, 0, 0, 0];
    for (let s = 0; s < 4000; s++) counts[shardOf(`camera/${s}`, 4)]!++;
    for (const count of counts) expect(count).toBeGreaterThan(800);
    expect(shardOf("", 1000)).toBe(0x811c9dc5 % 1000);
    expect(shardOf("a", 2 ** 32)).toBe(0xe40c292c);
  });
});
