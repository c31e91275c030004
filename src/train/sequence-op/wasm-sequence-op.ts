import { openRatioByLogit } from "./gate-gradients.ts";
import { type ParameterKernels, registerMemory } from "./parameter-kernels.ts";
import { createSequenceMemory } from "./sequence-memory.ts";
import {
  checkSequenceBatch,
  checkSequenceShape,
  isTriangular,
  openRatioOf,
  openUnitsExceeded,
  type SequenceLimits,
  type SequenceOp,
  type SequenceShape,
  skipsClosed,
} from "./sequence-op.ts";
import { instantiateWasm } from "./wasm-arena.ts";
import { wasmModuleBase64 } from "./wasm-module.ts";

/** What assembly/train/index.ts exports; `layout` is the address of its table of pointers. */
interface SequenceExports extends ParameterKernels {
  scanGates(layout: number, sequences: number, mode: number, reachUs: number): number;
  forward(layout: number, sequences: number): void;
  backward(layout: number, sequences: number, oscillates: number): void;
  forwardAll(layout: number, sequences: number, mode: number, leak: number): number;
  backwardAll(layout: number, leak: number, oscillates: number): void;
}

/** The sequence op in float32 SIMD; all its arrays are views on the module's memory. */
export function createWasmSequenceOp(shape: SequenceShape, limits: SequenceLimits): SequenceOp {
  checkSequenceShape(shape, limits);
  const { units } = shape;
  const skips = skipsClosed(shape);
  const mode = gateMode(shape);
  const memory = createSequenceMemory(shape, limits);
  const { arena, layout, parameters, gradients, batch, frequency, period, openRatio, openSlope } =
    memory;
  const wasm = instantiateWasm(wasmModuleBase64, arena.memory) as unknown as SequenceExports;
  registerMemory(arena, wasm);

  const op: SequenceOp = {
    shape,
    limits,
    parameters,
    gradients,
    batch,
    leak: 0,
    forward(sequences) {
      checkSequenceBatch(op, sequences);
      let openUs = 0;
      for (let u = 0; u < units; u++) {
        frequency[u] = Math.exp(-parameters.logPeriod[u]!);
        period[u] = Math.exp(parameters.logPeriod[u]!);
        openRatio[u] = openRatioOf(parameters.openLogit[u]!);
        openSlope[u] = 2 / openRatio[u]!;
        openUs += period[u]! * openRatio[u]!;
      }
      if (skips) {
        // The mean time that a unit is open; twice as much does nearly as well.
        const count = wasm.scanGates(layout, sequences, mode, openUs / units);
        if (count < 0) throw openUnitsExceeded(op);
        wasm.forward(layout, sequences);
        return count;
      }
      if (batch.offsets[sequences]! * units > limits.openUnitsMax) throw openUnitsExceeded(op);
      return wasm.forwardAll(layout, sequences, mode, op.leak);
    },
    backward(sequences) {
      const oscillates = isTriangular(shape.gate);
      memory.openRatioGradient.fill(0);
      if (skips) wasm.backward(layout, sequences, oscillates ? 1 : 0);
      else wasm.backwardAll(layout, op.leak, oscillates ? 1 : 0);
      if (!oscillates) return;
      for (let u = 0; u < units; u++) {
        gradients.openLogit[u]! += memory.openRatioGradient[u]! * openRatioByLogit(openRatio[u]!);
      }
    },
  };
  return op;
}

/** As assembly/train counts them. */
function gateMode(shape: SequenceShape): number {
  if (isTriangular(shape.gate)) return 0;
  return shape.gate === "square" ? 1 : 2;
}
