import { afterAll, describe, expect, it, vi } from "vitest";
import type {
  BatchLayerKernel,
  EventBatch,
  LayerState,
} from "../../../src/cells/kernels/kernel.ts";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import { LayerWorkerPool } from "../../../src/streams/workers/layer-worker-pool.ts";
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

  it("run() gives the jobs of a thread that is busy to those that are free", async () => {
    const long = layer.createBatch(200_000, { keepOutputs: false });
    long.timesUs.set(Float64Array.from({ length: 200_000 }, (_, n) => 1_000 * n));
    const done: string[] = [];
    const busy = pool.run("busy", address, newState(), long, 200_000).then(() => done.push("busy"));
    const others = Array.from({ length: 12 }, async (_, s) => {
      await pool.run(`other-${s}`, address, newState(), newBatch(), eventsPerJob);
      done.push("other");
    });
    await Promise.all([busy, ...others]);
    // One of the others may wait behind the long job; none after it does.
    expect(done.slice(0, 11)).toEqual(Array(11).fill("other"));
  });

  it("run() does a stream's jobs in order and beside others, more streams than threads", async () => {
    const done: string[] = [];
    const jobs = [0, 1, 2].flatMap((job) =>
      ["a", "b", "c", "d", "e"].map(async (stream) => {
        await pool.run(`order-${stream}`, address, newState(), newBatch(), 1);
        done.push(`${stream}${job}`);
      }),
    );
    await Promise.all(jobs);
    for (const stream of ["a", "b", "c", "d", "e"]) {
      expect(done.filter((one) => one[0] === stream)).toEqual([0, 1, 2].map((job) => stream + job));
    }
  });

  it("run() fails, and keeps failing, when a thread has ended", async () => {
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

  it("run() fails what waits, of every stream, when a thread has ended", async () => {
    const short = new LayerWorkerPool(kernel, { workers: 2, entry });
    const bad = short.run("a", address, newState(), newBatch(), eventsPerJob + 1);
    const waiting = ["a", "a", "b"].map((stream) =>
      short.run(stream, address, newState(), newBatch(), 1),
    );
    const settled = await Promise.allSettled([bad, ...waiting]);
    // That of b went to the other thread and may be done.
    expect(settled.slice(0, 3).map(({ status }) => status)).toEqual(Array(3).fill("rejected"));
    await expect(short.run("c", address, newState(), newBatch(), 1)).rejects.toThrow("has ended");
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
