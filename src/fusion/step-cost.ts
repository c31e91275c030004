import { hasOscillator } from "../cells/gate.ts";
import { packedSizes } from "../cells/kernels/packed-layer.ts";
import type { LayerParameters } from "../cells/layer-parameters.ts";

/** CPU time of one step of a layer: `fixedNs + open · unitNs`. */
export interface StepCost {
  /** The call and a look at every gate. */
  readonly fixedNs: number;
  /** A stream of weights and an activation. */
  readonly unitNs: number;
}

/**
 * Model of a step of the WASM kernel. Measured on an AMD EPYC of the Zen 5 generation at 4.1 GHz;
 * right to 15 % there for layers whose weights fit its caches. Other machines differ by a factor,
 * not in proportion.
 */
export function stepCost({ inputs, units, gate }: LayerParameters): StepCost {
  const callNs = 25;
  const gateNs = hasOscillator(gate) ? 0.28 : 0;
  const bytesPerNs = 80;
  const unitBytes = 16 * packedSizes(inputs, units).columns;
  return { fixedNs: callNs + gateNs * units, unitNs: 10 + unitBytes / bytesPerNs };
}
