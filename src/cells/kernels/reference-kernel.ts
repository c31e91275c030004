import { hasOscillator, openness, phase } from "../gate.ts";
import type { LayerParameters } from "../layer-parameters.ts";
import { phasedGruUnit } from "../phased-gru.ts";
import { phasedLstmUnit } from "../phased-lstm.ts";
import { requireOpenRatio, validateLayerParameters } from "../validate-layer-parameters.ts";
import type { FloatArray, Kernel, LayerKernel, LayerState } from "./kernel.ts";

/**
 * The readable kernel: float64, one unit at a time, equations in the order of the paper. All other
 * kernels are tested against it, and it is the only one that computes a leak α > 0 (densely).
 */
export function createReferenceKernel(): Kernel {
  return {
    name: "reference-f64",
    allocate: (length) => new Float64Array(length),
    release: () => undefined,
    createLayer: (parameters) => {
      validateLayerParameters(parameters, { computesClosedUnits: true });
      return new ReferenceLayer(parameters);
    },
  };
}

class ReferenceLayer implements LayerKernel {
  readonly inputs: number;
  readonly units: number;
  readonly stateLength: number;
  readonly openUnits: Int32Array;
  readonly #layer: LayerParameters;
  readonly #k: Float64Array;
  readonly #cNext: Float64Array;
  readonly #hNext: Float64Array;
  readonly #proposed: Float64Array = new Float64Array(2);

  constructor(layer: LayerParameters) {
    this.#layer = layer;
    this.inputs = layer.inputs;
    this.units = layer.units;
    this.stateLength = Math.ceil((2 * layer.units + layer.inputs) / 4) * 4;
    this.openUnits = new Int32Array(layer.units);
    this.#k = new Float64Array(layer.units);
    this.#cNext = new Float64Array(layer.units);
    this.#hNext = new Float64Array(layer.units);
  }

  bind(arena: FloatArray, offset: number): LayerState {
    const { inputs, units } = this;
    return {
      c: arena.subarray(offset, offset + units),
      h: arena.subarray(offset + units, offset + 2 * units),
      x: arena.subarray(offset + 2 * units, offset + 2 * units + inputs),
    };
  }

  step(state: LayerState, timeUs: number): number {
    if (this.#layer.leak > 0) return this.stepDense(state, timeUs);
    const open = this.#openGates(timeUs);
    for (let n = 0; n < open; n++) this.#propose(state, this.openUnits[n]!);
    this.#keep(state, open);
    return open;
  }

  stepDense(state: LayerState, timeUs: number): number {
    const open = this.#openGates(timeUs);
    for (let j = 0; j < this.units; j++) this.#propose(state, j);
    this.#keep(state, open);
    return open;
  }

  withOpenRatio(openRatio: Float64Array): ReferenceLayer {
    requireOpenRatio(openRatio, this.#layer.openRatio.length);
    return new ReferenceLayer({ ...this.#layer, openRatio });
  }

  /** Fills k of every unit and lists the units with k ≠ 0; returns how many there are. */
  #openGates(timeUs: number): number {
    const { gate, periodUs, shiftUs, openRatio, leak } = this.#layer;
    let open = 0;
    for (let j = 0; j < this.units; j++) {
      let k = 1;
      if (hasOscillator(gate)) {
        const phi = phase(timeUs, periodUs[j]!, shiftUs[j]!);
        k = gate === "square" ? Number(phi < openRatio[j]!) : openness(phi, openRatio[j]!, leak);
      }
      this.#k[j] = k;
      if (k !== 0) this.openUnits[open++] = j;
    }
    return open;
  }

  /** New state of unit j by Eqs. 7–10, kept aside: all units read the same old h (spec D8). */
  #propose(state: LayerState, j: number): void {
    const k = this.#k[j]!;
    if (this.#layer.cell === "phased-gru") {
      const hTilde = phasedGruUnit(this.#layer, j, state.x, state.h);
      this.#hNext[j] = k * hTilde + (1 - k) * state.h[j]!;
      return;
    }
    const proposed = this.#proposed;
    phasedLstmUnit(proposed, this.#layer, j, state.x, state.h, state.c);
    this.#cNext[j] = k * proposed[0]! + (1 - k) * state.c[j]!;
    this.#hNext[j] = k * proposed[1]! + (1 - k) * state.h[j]!;
  }

  /** k = 0 is a choice, not a factor: 0 · NaN would reach the state (spec D7). */
  #keep(state: LayerState, open: number): void {
    for (let n = 0; n < open; n++) {
      const j = this.openUnits[n]!;
      if (this.#layer.cell !== "phased-gru") state.c[j] = this.#cNext[j]!;
      state.h[j] = this.#hNext[j]!;
    }
  }
}
