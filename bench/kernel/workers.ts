import { existsSync, readFileSync } from "node:fs";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { LayerWorkerPool } from "../../src/streams/workers/layer-worker-pool.ts";
import { shardOf } from "../../src/streams/workers/sharded-workers.ts";
import { interleave, ratioOf } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer, shapeName, shapes } from "./workload.ts";

const entry = new URL("../../test/streams/workers/typescript-worker.mjs", import.meta.url);
const STREAMS = 8;

interface MachineSeconds {
  /** All cores: in use or taken by the host, and in all. */
  readonly busy: number;
  readonly all: number;
  /** Of this process. */
  readonly own: number;
}

function machineSeconds(): MachineSeconds {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  // The first line of /proc/stat: user nice system idle iowait irq softirq steal, in 1/100 s.
  const stat = existsSync("/proc/stat") ? readFileSync("/proc/stat", "utf8") : "";
  const ticks = stat.split("\n")[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, each) => sum + each, 0) / 100;
  return { busy: all - ((ticks[3] ?? 0) + (ticks[4] ?? 0)) / 100, all, own };
}

/** Share of all cores that others took, the host included; NaN where the system does not tell. */
function othersShare(before: MachineSeconds, after: MachineSeconds): number {
  const busy = after.busy - before.busy;
  return Math.max(0, busy - (after.own - before.own)) / (after.all - before.all);
}

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
    const before = machineSeconds();
    const timings = await interleave(variants, 21);
    const others = othersShare(before, machineSeconds());
    // Two threads on two cores cannot gain more than 2 × (1 − this).
    report.row(`others-on-the-machine:${shapeName(shape)}`, "% of all cores", {
      value: 100 * others,
      low: 100 * others,
      high: 100 * others,
    });
    await Promise.all(pools.map((pool) => pool.close()));
    report.rowsOf(timings, shapeName(shape), "wall");
    report.ratioOf(`workers-2:${shapeName(shape)}`, timings, "1-workers", "2-workers", "wall");
    // The round in which each was disturbed least.
    const least = (name: string): number => Math.min(...timings.wall.get(name)!);
    const quietest = least("1-workers") / least("2-workers");
    report.ratio(`workers-2-quietest-rounds:${shapeName(shape)}`, {
      value: quietest,
      low: quietest,
      high: quietest,
    });
    // What two idle cores would give: a busy machine has none, but CPU time does not see that.
    const { value, low, high } = ratioOf(timings, "1-workers", "2-workers", "cpu");
    report.ratio(`workers-2-by-cpu-time:${shapeName(shape)}`, {
      value: 2 * value,
      low: 2 * low,
      high: 2 * high,
    });
  }
}
