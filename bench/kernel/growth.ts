import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { GateParameters } from "../../src/cells/kernels/wasm-layer.ts";
import { Random } from "../../src/sensors/random.ts";
import { interleave, spread, type Variant } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents } from "./workload.ts";

const SIZES = [1024, 4096, 16_384, 65_536];
/** 0.1 ms between events: an event camera. */
const GAP_US = 100;
/**
 * How often a run goes through the events: with the wheel so often that nearly every unit of the
 * greatest layer comes up. In a stream what comes up has come up before; a run of 4,096 events would
 * meet half of the units once, after they had been out of every cache while others ran.
 */
const TURNS = { auto: 16, scan: 1 } as const;

/**
 * Finding open units among more and more, with 16 open and the same number of windows beginning
 * between two events at all sizes: r_on = 16 / N and τ in proportion to N. The gate alone: weights
 * for 65,536 units would take 69 GB.
 */
export async function benchGrowth(report: Report): Promise<void> {
  const { timesUs } = randomEvents(1, EVENTS, GAP_US);
  const variants = (["auto", "scan"] as const).flatMap((scheduling) => {
    const turns = TURNS[scheduling];
    const kernel = createWasmKernel({ scheduling });
    return SIZES.map((units): Variant => {
      const gate = kernel.createGate(gateOf(units));
      let beginUs = 0;
      return {
        name: `find-open-${scheduling}:${units / 1024}k`,
        events: turns * EVENTS,
        run: () => {
          for (let turn = 0; turn < turns; turn++) {
            for (let n = 0; n < EVENTS; n++) gate.findOpen(beginUs + timesUs[n]!);
            // Time goes on from round to round, as in a stream.
            beginUs += timesUs[EVENTS - 1]!;
          }
        },
      };
    });
  });
  const timings = await interleave(variants, 21);
  for (const [name, values] of timings.cpu) report.row(name, "ns/event", spread(values));
  report.ratioOf("growth:1k-64k", timings, "find-open-auto:64k", "find-open-auto:1k");
  report.ratioOf("scan-vs-wheel:64k", timings, "find-open-scan:64k", "find-open-auto:64k");
}

function gateOf(units: number): GateParameters {
  const random = new Random(units);
  const scale = units / 1024;
  const periodUs = Float64Array.from(
    { length: units },
    () => scale * 1000 * Math.exp(1 + 5 * random.uniform()),
  );
  return {
    units,
    gate: "phase",
    periodUs,
    shiftUs: periodUs.map((period) => period * random.uniform()),
    openRatio: new Float64Array(units).fill(16 / units),
  };
}
