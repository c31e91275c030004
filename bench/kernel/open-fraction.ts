import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { interleave } from "../interleave.ts";
import type { Report } from "../report.ts";
import { batched } from "./our-peers.ts";
import { EVENTS, randomEvents, randomLayer, shapeName, shapes } from "./workload.ts";

/** What closed gates save: the step at r_on = 0.05 against all units open. */
export async function benchOpenFraction(report: Report): Promise<void> {
  const wasm = createWasmKernel();
  for (const shape of shapes) {
    const events = randomEvents(shape.inputs, EVENTS, 10_000);
    const variants = [0.05, 0.2, 1].map((ratio) => {
      const count = ratio === 0.05 ? EVENTS : EVENTS / 4;
      const peer = batched(wasm, randomLayer(shape, ratio), events);
      return { name: `r-on-${ratio}`, events: count, run: () => peer.run(events, count) };
    });
    const timings = await interleave(variants, 21);
    report.rowsOf(timings, shapeName(shape));
    report.ratioOf(`sparse-vs-open:${shapeName(shape)}`, timings, "r-on-0.05", "r-on-1");
  }
}
