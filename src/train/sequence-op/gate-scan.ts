import { type GateMode, hasOscillator, openness } from "../../cells/gate.ts";
import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { openRatioOf, type SequenceShape, type SequenceTensors } from "./sequence-op.ts";

/** Units that a batch must evaluate, event by event, and how far each is open. */
export interface OpenUnits {
  /** [N + 1]: event n evaluates entries `start[n]` to `start[n + 1]`. */
  readonly start: Int32Array;
  /** Unit of an entry, ascending inside an event. */
  readonly unit: Int32Array;
  /** Phase φ and openness k of an entry; φ is 0 where the gate does not depend on time. */
  readonly phi: FloatArray;
  readonly k: FloatArray;
}

/**
 * Lists the units to evaluate at every event. Gates depend on time alone, so this comes before the
 * recurrence.
 *
 * @returns number of entries, or −1 if there is not room for all
 */
export function scanGates(
  shape: SequenceShape,
  parameters: SequenceTensors,
  { timeUs, leak, events }: { timeUs: Float64Array; leak: number; events: number },
  into: OpenUnits,
): number {
  const { start, unit, phi, k } = into;
  const period = parameters.logPeriod.map(Math.exp);
  const openRatio = parameters.openLogit.map(openRatioOf);
  const skip = shape.evaluate === "open";
  let count = 0;
  for (let n = 0; n < events; n++) {
    start[n] = count;
    for (let u = 0; u < shape.units; u++) {
      const cycles = timeUs[n]! / period[u]! - parameters.shift[u]!;
      const phase = cycles - Math.floor(cycles);
      const open = opennessAt(shape.gate, phase, openRatio[u]!, leak);
      if (skip && open === 0) continue;
      if (count === unit.length) return -1;
      unit[count] = u;
      phi[count] = phase;
      k[count] = open;
      count += 1;
    }
  }
  start[events] = count;
  return count;
}

/** Of `count` entries, those of units that are open and do not only leak. */
export function countOpen(
  shape: SequenceShape,
  parameters: SequenceTensors,
  open: OpenUnits,
  count: number,
): number {
  if (shape.evaluate === "open" || !hasOscillator(shape.gate)) return count;
  const openRatio = parameters.openLogit.map(openRatioOf);
  let sum = 0;
  for (let e = 0; e < count; e++) {
    if (open.k[e]! > 0 && open.phi[e]! < openRatio[open.unit[e]!]!) sum += 1;
  }
  return sum;
}

function opennessAt(gate: GateMode, phase: number, openRatio: number, leak: number): number {
  if (!hasOscillator(gate)) return 1;
  if (gate === "square") return phase < openRatio ? 1 : 0;
  return openness(phase, openRatio, leak);
}
