import { existsSync, readFileSync } from "node:fs";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { LayerWorkerPool } from "../../src/streams/workers/layer-worker-pool.ts";
import { interleave, ratioOf, warmUpRounds } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer, type Shape, shapeName, shapes } from "./workload.ts";

const entry = new URL("../../test/streams/workers/typescript-worker.mjs", import.meta.url);
const STREAMS = 8;

const ROUNDS = 41;
/** How often a variant goes through all events in a round: a tenth of a second and more. */
const runs = [
  { shape: shapes[0]!, repeats: 7 },
  { shape: shapes[3]!, repeats: 2 },
];

/** Seconds that the cores stood still because the host had them; 0 where the system does not tell. */
function stolenSeconds(): number {
  // The first line of /proc/stat: user nice system idle iowait irq softirq steal, in 1/100 s.
  const stat = existsSync("/proc/stat") ? readFileSync("/proc/stat", "utf8") : "";
  return Number(stat.split("\n")[0]!.trim().split(/\s+/)[8] ?? 0) / 100;
}

/**
 * Two threads against one, both by the pool, weights shared; wall time. The host of a virtual machine
 * takes cores away, from two threads more than from one: how much is reported beside.
 */
export async function benchWorkers(report: Report): Promise<void> {
  for (const { shape, repeats } of runs) {
    const at = shapeName(shape);
    const { pools, runOnce } = createPools(shape);
    let stolen = 0;
    const variants = pools.map((pool, index) => ({
      name: `${index + 1}-workers`,
      events: repeats * STREAMS * EVENTS,
      run: async (): Promise<void> => {
        const before = stolenSeconds();
        // All at once, as streams come: who is done first does not wait for the other.
        await Promise.all(Array.from({ length: repeats }, () => runOnce(pool)));
        stolen += stolenSeconds() - before;
      },
    }));
    const timings = await interleave(variants, ROUNDS);
    await Promise.all(pools.map((pool) => pool.close()));
    report.rowsOf(timings, at, "wall");
    const mean = (1000 * stolen) / (warmUpRounds + ROUNDS);
    report.row(`stolen-in-a-round:${at}`, "ms", { value: mean, low: mean, high: mean });
    report.ratioOf(`workers-2:${at}`, timings, "1-workers", "2-workers", "wall");
    // What two idle cores would give: CPU time does not see that others had them.
    const { value, low, high } = ratioOf(timings, "1-workers", "2-workers", "cpu");
    report.ratio(`workers-2-by-cpu-time:${at}`, {
      value: 2 * value,
      low: 2 * low,
      high: 2 * high,
    });
  }
}

/** A pool of one thread and one of two, and a run of all events of all streams by one of them. */
function createPools(shape: Shape): {
  readonly pools: readonly LayerWorkerPool[];
  runOnce(pool: LayerWorkerPool): Promise<unknown>;
} {
  const wasm = createWasmKernel();
  const address = wasm.writeLayer(randomLayer(shape, 0.05));
  const layer = wasm.attachLayer(address);
  const events = randomEvents(shape.inputs, EVENTS, 10_000);
  const streams = Array.from({ length: STREAMS }, (_, n) => {
    const batch = layer.createBatch(EVENTS, { keepOutputs: false });
    batch.timesUs.set(events.timesUs);
    batch.inputs.set(events.inputs);
    return { name: `stream-${n}`, batch, state: layer.bind(wasm.allocate(layer.stateLength), 0) };
  });
  return {
    pools: [1, 2].map((workers) => new LayerWorkerPool(wasm, { workers, entry })),
    runOnce: (pool) =>
      Promise.all(
        streams.map(({ name, state, batch }) => pool.run(name, address, state, batch, EVENTS)),
      ),
  };
}
