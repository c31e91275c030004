import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { LayerWorkerPool } from "../../src/streams/workers/layer-worker-pool.ts";
import { shardOf } from "../../src/streams/workers/sharded-workers.ts";
import { interleave, ratioOf } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer, shapeName, shapes } from "./workload.ts";

const entry = new URL("../../test/streams/workers/typescript-worker.mjs", import.meta.url);
const STREAMS = 8;

/** Two threads against one, both by the pool, weights shared; wall time. */
export async function benchWorkers(report: Report): Promise<void> {
  for (const shape of [shapes[0]!, shapes[3]!]) {
    const wasm = createWasmKernel();
    const address = wasm.writeLayer(randomLayer(shape, 0.05));
    const layer = wasm.attachLayer(address);
    const events = randomEvents(shape.inputs, EVENTS, 10_000);
    // Names chosen so that each of two threads gets half of the streams.
    const names = [0, 1].flatMap((shard) =>
      Array.from({ length: 1000 }, (_, n) => `stream-${n}`)
        .filter((name) => shardOf(name, 2) === shard)
        .slice(0, STREAMS / 2),
    );
    const streams = names.map((name) => {
      const batch = layer.createBatch(EVENTS, { keepOutputs: false });
      batch.timesUs.set(events.timesUs);
      batch.inputs.set(events.inputs);
      return { name, batch, state: layer.bind(wasm.allocate(layer.stateLength), 0) };
    });
    const pools = [1, 2].map((workers) => new LayerWorkerPool(wasm, { workers, entry }));
    const variants = pools.map((pool, index) => ({
      name: `${index + 1}-workers`,
      events: STREAMS * EVENTS,
      run: async (): Promise<void> => {
        await Promise.all(
          streams.map(({ name, state, batch }) => pool.run(name, address, state, batch, EVENTS)),
        );
      },
    }));
    const timings = await interleave(variants, 21);
    await Promise.all(pools.map((pool) => pool.close()));
    report.rowsOf(timings, shapeName(shape), "wall");
    report.ratioOf(`workers-2:${shapeName(shape)}`, timings, "1-workers", "2-workers", "wall");
    // What two idle cores would give: a busy machine has none, but CPU time does not see that.
    const { value, low, high } = ratioOf(timings, "1-workers", "2-workers", "cpu");
    report.ratio(`workers-2-by-cpu-time:${shapeName(shape)}`, {
      value: 2 * value,
      low: 2 * low,
      high: 2 * high,
    });
  }
}
