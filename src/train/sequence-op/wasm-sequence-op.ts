import { backwardGates } from "./gate-gradients.ts";
import { countOpen, type OpenUnits } from "./gate-scan.ts";
import {
  checkSequenceBatch,
  checkSequenceShape,
  isTriangular,
  openRatioOf,
  openUnitsExceeded,
  rowLength,
  type SequenceBatch,
  type SequenceLimits,
  type SequenceOp,
  type SequenceShape,
  type SequenceTensors,
} from "./sequence-op.ts";
import { instantiateWasm, WasmArena } from "./wasm-arena.ts";
import { wasmModuleBase64 } from "./wasm-module.ts";

/** What assembly/train/index.ts exports; `layout` is the address of its table of pointers. */
interface SequenceExports {
  scanGates(layout: number, events: number, mode: number, leak: number, all: number): number;
  forward(layout: number, sequences: number): void;
  backward(layout: number, sequences: number): void;
}

/** The sequence op in float32 SIMD; all its arrays are views on the module's memory. */
export function createWasmSequenceOp(shape: SequenceShape, limits: SequenceLimits): SequenceOp {
  checkSequenceShape(shape, limits);
  const { units, inputs } = shape;
  const { sequencesMax, eventsMax, openUnitsMax } = limits;
  const length = rowLength(shape);
  const arena = new WasmArena(arenaBytes(shape, limits));
  // Fields in the order of assembly/train/layout.ts.
  const layout = arena.uint32(31);
  layout.set([inputs, units, length, openUnitsMax]);
  let field = 4;
  const at = <T extends { readonly byteOffset: number }>(array: T): T => {
    layout[field++] = array.byteOffset;
    return array;
  };
  const rows = at(arena.float32(units * 4 * length));
  const peepholes = at(arena.float32(3 * units));
  const rowsGradient = at(arena.float32(units * 4 * length));
  const peepholesGradient = at(arena.float32(3 * units));
  // The scan reads groups of four units.
  const frequency = at(arena.float64(units + 3));
  const shift = at(arena.float64(units + 3)).subarray(0, units);
  const openRatio = at(arena.float64(units + 3));
  const batch: SequenceBatch = {
    offsets: at(arena.int32(sequencesMax + 1)),
    timeUs: at(arena.float64(eventsMax)),
    x: at(arena.float32(eventsMax * inputs)),
    readFrom: at(arena.int32(sequencesMax)),
    h: at(arena.float32(eventsMax * units)),
    hGradient: at(arena.float32(eventsMax * units)),
    xGradient: at(arena.float32(eventsMax * inputs)),
    stateH: at(arena.float32(sequencesMax * units)),
    stateC: at(arena.float32(sequencesMax * units)),
  };
  const open: OpenUnits = {
    start: at(arena.int32(eventsMax + 1)),
    unit: at(arena.int32(openUnitsMax)),
    phi: at(arena.float32(openUnitsMax)),
    k: at(arena.float32(openUnitsMax)),
  };
  const kGradient = at(arena.float32(openUnitsMax));
  for (const count of [4 * openUnitsMax, 4 * openUnitsMax, 4 * units, length, length, units]) {
    at(arena.float32(count));
  }
  const parameters = gateTensors(units, rows, peepholes, shift);
  const gradients = gateTensors(units, rowsGradient, peepholesGradient, new Float64Array(units));
  const wasm = instantiateWasm(wasmModuleBase64, arena.memory) as unknown as SequenceExports;

  const op: SequenceOp = {
    shape,
    limits,
    parameters,
    gradients,
    batch,
    leak: 0,
    forward(sequences) {
      checkSequenceBatch(op, sequences);
      for (let u = 0; u < units; u++) {
        frequency[u] = Math.exp(-parameters.logPeriod[u]!);
        openRatio[u] = openRatioOf(parameters.openLogit[u]!);
      }
      const count = wasm.scanGates(
        layout.byteOffset,
        batch.offsets[sequences]!,
        scanMode(shape),
        op.leak,
        shape.evaluate === "all" ? 1 : 0,
      );
      if (count < 0) throw openUnitsExceeded(op);
      wasm.forward(layout.byteOffset, sequences);
      return countOpen(shape, parameters, open, count);
    },
    backward(sequences) {
      wasm.backward(layout.byteOffset, sequences);
      backwardGates(op, open, kGradient, batch.offsets[sequences]!);
    },
  };
  return op;
}

function scanMode(shape: SequenceShape): number {
  if (isTriangular(shape.gate)) return 0;
  return shape.gate === "square" ? 1 : 2;
}

function gateTensors(
  units: number,
  rows: Float32Array,
  peepholes: Float32Array,
  shift: Float64Array,
): SequenceTensors {
  return {
    rows,
    peepholes,
    logPeriod: new Float64Array(units),
    shift,
    openLogit: new Float64Array(units),
  };
}

/** Generous sum of all arrays, a cache line of padding for each. */
function arenaBytes(shape: SequenceShape, limits: SequenceLimits): number {
  const { units, inputs } = shape;
  const weights = 2 * units * 4 * (rowLength(shape) + 4) + 16 * rowLength(shape);
  const events = limits.eventsMax * (2 * inputs + 2 * units + 4);
  const sequences = limits.sequencesMax * (2 * units + 4);
  return 4 * (weights + 64 * units + events + sequences + 12 * limits.openUnitsMax) + 40 * 64;
}
