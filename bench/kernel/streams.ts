import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { Random } from "../../src/sensors/random.ts";
import { interleave } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer, type Shape, shapeName } from "./workload.ts";

const STREAMS = 10_000;
/** Every stream's turn comes up often enough that its state has left the nearest caches. */
const EVENTS_OF_MANY = 8 * EVENTS;

/** Many streams in one process, one call per event, against a single stream. */
export async function benchStreams(report: Report): Promise<void> {
  for (const shape of [
    { inputs: 40, units: 110 },
    { inputs: 39, units: 150 },
  ] satisfies Shape[]) {
    const wasm = createWasmKernel();
    const layer = wasm.createLayer(randomLayer(shape, 0.05));
    const arena = wasm.allocate(STREAMS * layer.stateLength);
    const states = Array.from({ length: STREAMS }, (_, s) =>
      layer.bind(arena, s * layer.stateLength),
    );
    const { timesUs, rows } = randomEvents(shape.inputs, EVENTS, 10_000);
    const random = new Random(3);
    const inTurn = Array.from({ length: EVENTS_OF_MANY }, (_, n) => n % STREAMS);
    const atRandom = inTurn.map(() => Math.floor(random.uniform() * STREAMS));
    const run = (order: readonly number[]) => () => {
      for (let n = 0; n < order.length; n++) {
        const state = states[order[n]!]!;
        state.x.set(rows[n % EVENTS]!);
        layer.step(state, timesUs[n % EVENTS]!);
      }
    };
    const timings = await interleave(
      [
        { name: "1-stream", events: EVENTS, run: run(new Array(EVENTS).fill(0)) },
        { name: "10k-streams-in-turn", events: EVENTS_OF_MANY, run: run(inTurn) },
        { name: "10k-streams-at-random", events: EVENTS_OF_MANY, run: run(atRandom) },
      ],
      15,
    );
    const at = shapeName(shape);
    report.rowsOf(timings, at);
    report.ratioOf(`streams-10k:${at}`, timings, "1-stream", "10k-streams-in-turn");
    report.ratioOf(`streams-10k-at-random:${at}`, timings, "1-stream", "10k-streams-at-random");
  }
}
