import { hasOscillator } from "../gate.ts";
import type { LayerParameters } from "../layer-parameters.ts";
import { requireOpenRatio } from "../validate-layer-parameters.ts";
import type { BatchLayerKernel, EventBatch, FloatArray, LayerState } from "./kernel.ts";
import { packBias, packedSizes, packPeepholes, roundUp, SLOTS } from "./packed-layer.ts";
import { EPOCHS_KEPT, epochLengthUs } from "./phase-scan.ts";
import type { WasmMemory } from "./wasm-memory.ts";
import { type WeightPacker, writeWeights } from "./wasm-weights.ts";
import { isWheelInUse, type Scheduling, writeWheel } from "./wasm-wheel.ts";

/** What assembly/kernel.ts exports. Addresses are bytes from the start of the memory. */
export interface WasmExports extends WeightPacker {
  preWarm(memory: number): number;
  findOpen(layer: number, timeUs: number): number;
  step(layer: number, state: number, timeUs: number): number;
  stepDense(layer: number, state: number, timeUs: number): number;
  run(
    layer: number,
    state: number,
    timesUs: number,
    inputs: number,
    outputs: number,
    count: number,
  ): number;
  stepAddress(layer: number, state: number, timeUs: number, address: number): number;
  stepDenseAddress(layer: number, state: number, timeUs: number, address: number): number;
  runAddresses(
    layer: number,
    state: number,
    timesUs: number,
    events: number,
    count: number,
  ): number;
}

/** Fields of the layer record of assembly/layer.ts, by 4-byte word. */
const word = {
  units: 0,
  inputs: 1,
  paddedUnits: 2,
  columns: 3,
  cell: 4,
  gate: 5,
  blocks: 6,
  bias: 7,
  peepholes: 8,
  periodUs: 9,
  shiftUs: 10,
  frequency: 11,
  openRatio: 12,
  slope: 13,
  /** float64, like the two after it. */
  anchorUs: 14,
  epochUs: 16,
  startUs: 18,
  bases: 20,
  keptStarts: 21,
  keptBases: 22,
  openUnits: 23,
  openness: 24,
  z: 25,
  allUnits: 26,
  denseOpenness: 27,
  denseC: 28,
  denseH: 29,
  /** float64, like the one after it. */
  coarseSpan: 30,
  lastSpan: 32,
  coarse: 34,
  wheel: 35,
} as const;
const RECORD_BYTES = 256;
/** Words from here on belong to one thread. */
const FIRST_OWN_WORD = word.startUs;

/** So many that nearly every unit of a layer with periods below a second is open in one of them. */
const REHEARSED_STEPS = 32;
const REHEARSED_GAP_US = 7000;

const cellCode = { lstm: 0, "phased-lstm": 0, "phased-gru": 1 } as const;
const gateCode = { always: 0, "own-event": 0, phase: 1, aligned: 1, square: 2 } as const;

/**
 * Writes weights and gate of a layer into the memory.
 *
 * @param parameters validated
 * @returns address of the layer's record, which any thread can build a WasmLayer on
 */
export function writeWasmLayer(
  memory: WasmMemory,
  packer: WeightPacker,
  parameters: LayerParameters,
): number {
  const sizes = packedSizes(parameters.inputs, parameters.units);
  const address = writeWasmGate(memory, parameters);
  const fields = memory.int32(RECORD_BYTES / 4, address);
  const float32 = (values: Float32Array): number => {
    const copy = memory.float32(values.length);
    copy.set(values);
    return copy.byteOffset;
  };
  fields[word.inputs] = sizes.inputs;
  fields[word.paddedUnits] = sizes.paddedUnits;
  fields[word.columns] = sizes.columns;
  fields[word.cell] = cellCode[parameters.cell];
  fields[word.blocks] = writeWeights(memory, packer, parameters, sizes);
  fields[word.bias] = float32(packBias(parameters));
  fields[word.peepholes] = float32(packPeepholes(parameters));
  return address;
}

/**
 * Writes the gate of a layer alone: enough to find open units.
 *
 * @param parameters validated
 */
export function writeWasmGate(memory: WasmMemory, parameters: GateParameters): number {
  const address = memory.reserve(RECORD_BYTES);
  const fields = memory.int32(RECORD_BYTES / 4, address);
  fields[word.units] = parameters.units;
  fields[word.gate] = gateCode[parameters.gate];
  if (hasOscillator(parameters.gate)) writeOscillators(memory, fields, parameters);
  return address;
}

function writeOscillators(
  memory: WasmMemory,
  fields: Int32Array,
  parameters: GateParameters,
): void {
  const padded = roundUp(parameters.units, 64);
  const float64 = (values: ArrayLike<number>, padding: number): number => {
    const copy = memory.float64(padded).fill(padding);
    copy.set(values);
    return copy.byteOffset;
  };
  const periodUs = Float64Array.from(parameters.periodUs);
  fields[word.periodUs] = float64(periodUs, 1);
  fields[word.shiftUs] = float64(parameters.shiftUs, 0);
  fields[word.frequency] = float64(
    periodUs.map((period) => 1 / period),
    0,
  );
  writeOpenRatio(memory, fields, Float64Array.from(parameters.openRatio));
  const times = new Float64Array(fields.buffer, fields.byteOffset, RECORD_BYTES / 8);
  times[word.anchorUs / 2] = Math.floor(parameters.shiftUs[0]!);
  times[word.epochUs / 2] = epochLengthUs(periodUs);
}

function writeOpenRatio(memory: WasmMemory, fields: Int32Array, openRatio: Float64Array): void {
  const padded = roundUp(openRatio.length, 64);
  // No phase is less than −1: the padding never opens.
  const ratios = memory.float64(padded).fill(-1);
  ratios.set(openRatio);
  fields[word.openRatio] = ratios.byteOffset;
  const slopes = memory.float64(padded);
  slopes.set(openRatio.map((ratio) => 2 / ratio));
  fields[word.slope] = slopes.byteOffset;
}

/** What decides when units open. */
export type GateParameters = Pick<
  LayerParameters,
  "units" | "gate" | "periodUs" | "shiftUs" | "openRatio"
>;

export interface WasmState extends LayerState {
  readonly address: number;
}

/** A layer in WASM memory. Its weights may be shared by threads; its scratch is this object's own. */
export class WasmLayer implements BatchLayerKernel {
  readonly inputs: number;
  readonly units: number;
  readonly stateLength: number;
  readonly openUnits: Int32Array;
  /** Where attachLayer() finds the same weights and gate in any thread. */
  readonly sharedAddress: number;
  readonly #memory: WasmMemory;
  readonly #exports: WasmExports;
  readonly #record: number;
  readonly #scheduling: Scheduling;

  /** @param shared address that writeWasmLayer() or, to find open units only, writeWasmGate() gave */
  constructor(memory: WasmMemory, exports: WasmExports, shared: number, scheduling: Scheduling) {
    this.#memory = memory;
    this.#exports = exports;
    this.#scheduling = scheduling;
    this.sharedAddress = shared;
    this.#record = memory.reserve(RECORD_BYTES);
    const fields = memory.int32(RECORD_BYTES / 4, this.#record);
    fields.set(memory.int32(FIRST_OWN_WORD, shared));
    this.inputs = fields[word.inputs]!;
    this.units = fields[word.units]!;
    this.stateLength = fields[word.columns]! + fields[word.paddedUnits]!;
    this.openUnits = reserveScratch(memory, fields);
    if (fields[word.gate] !== gateCode.always) {
      const frequency = memory.float64(this.units, fields[word.frequency]);
      fields[word.wheel] = writeWheel(memory, frequency, scheduling);
    }
  }

  /** How open units are being found now; the result is the same bits. */
  get scheduling(): "scan" | "wheel" {
    const wheel = this.#memory.int32(RECORD_BYTES / 4, this.#record)[word.wheel]!;
    return isWheelInUse(this.#memory, wheel) ? "wheel" : "scan";
  }

  /** Address of the record, for the module's exports. */
  get record(): number {
    return this.#record;
  }

  /** Lists the units open at a time in `openUnits`, without a state; how many there are. */
  findOpen(timeUs: number): number {
    return this.#exports.findOpen(this.#record, timeUs);
  }

  bind(arena: FloatArray, offset: number): WasmState {
    const { buffer } = this.#memory.handle;
    // Growing gives the same memory a new buffer object; what matters is that it is kernel memory.
    if (!(arena instanceof Float32Array && arena.buffer instanceof SharedArrayBuffer)) {
      throw new TypeError("Cannot bind layer state: arena must be allocated by this kernel");
    }
    const address = arena.byteOffset + 4 * offset;
    const { paddedUnits, columns } = packedSizes(this.inputs, this.units);
    return {
      address,
      h: new Float32Array(buffer, address, this.units),
      x: new Float32Array(buffer, address + 4 * paddedUnits, this.inputs),
      c: new Float32Array(buffer, address + 4 * columns, this.units),
    };
  }

  step(state: LayerState, timeUs: number): number {
    return this.#exports.step(this.#record, (state as WasmState).address, timeUs);
  }

  stepDense(state: LayerState, timeUs: number): number {
    return this.#exports.stepDense(this.#record, (state as WasmState).address, timeUs);
  }

  /**
   * Steps of a state that is thrown away: the first event of a stream then finds code and weights in
   * the caches. A layer that a wheel may serve is too large for them, and its wheel is to see the times
   * of streams alone.
   */
  rehearse(): void {
    const fields = this.#memory.int32(RECORD_BYTES / 4, this.#record);
    if (fields[word.wheel] !== 0) return;
    const bytes = 4 * this.stateLength;
    const address = this.#memory.reserve(bytes);
    const times = new Float64Array(fields.buffer, fields.byteOffset, RECORD_BYTES / 8);
    const startUs = times[word.anchorUs / 2]!;
    const steps = fields[word.gate] === gateCode.always ? 1 : REHEARSED_STEPS;
    for (let n = 0; n < steps; n++) {
      this.#exports.step(this.#record, address, startUs + n * REHEARSED_GAP_US);
    }
    this.#memory.release(address, bytes);
  }

  withOpenRatio(openRatio: Float64Array): WasmLayer {
    const fields = this.#memory.int32(FIRST_OWN_WORD, this.#record);
    requireOpenRatio(openRatio, fields[word.gate] === gateCode.always ? 0 : this.units);
    const address = this.#memory.reserve(RECORD_BYTES);
    const narrowed = this.#memory.int32(FIRST_OWN_WORD, address);
    narrowed.set(fields);
    writeOpenRatio(this.#memory, narrowed, openRatio);
    return new WasmLayer(this.#memory, this.#exports, address, this.#scheduling);
  }

  createBatch(capacity: number, options: { readonly keepOutputs: boolean }): EventBatch {
    return {
      timesUs: this.#memory.float64(capacity),
      inputs: this.#memory.float32(capacity * this.inputs),
      outputs: this.#memory.float32(options.keepOutputs ? capacity * this.units : 0),
    };
  }

  run(state: LayerState, batch: EventBatch, count: number): number {
    const { timesUs, inputs, outputs } = batch;
    if (!(count >= 0 && count <= timesUs.length)) {
      throw new RangeError(`Cannot run batch: count must be ≤ ${timesUs.length}, got ${count}`);
    }
    return this.#exports.run(
      this.#record,
      (state as WasmState).address,
      timesUs.byteOffset,
      inputs.byteOffset,
      outputs.length > 0 ? outputs.byteOffset : 0,
      count,
    );
  }
}

/** Gives the record its thread's own memory; returns the list of open units. */
function reserveScratch(memory: WasmMemory, fields: Int32Array): Int32Array {
  const units = fields[word.units]!;
  const padded = roundUp(units, 64);
  /** Open units are listed eight at a time, and lists completed to whole groups of 4. */
  const listed = units + 8;
  const ascending = Int32Array.from({ length: listed }, (_, j) => Math.min(j, units - 1));
  const allUnits = memory.int32(listed);
  const openUnits = memory.int32(listed);
  allUnits.set(ascending);
  openUnits.set(ascending);
  const times = new Float64Array(fields.buffer, fields.byteOffset, RECORD_BYTES / 8);
  times.fill(Number.NaN, word.startUs / 2, word.startUs / 2 + 1);
  times.fill(Number.NaN, word.coarseSpan / 2, word.lastSpan / 2 + 1);
  fields[word.keptStarts] = memory.float64(EPOCHS_KEPT).fill(Number.NaN).byteOffset;
  fields[word.keptBases] = memory.reserve(8 * EPOCHS_KEPT * padded);
  fields[word.bases] = fields[word.keptBases]!;
  fields[word.openUnits] = openUnits.byteOffset;
  fields[word.openness] = memory.float32(listed).fill(1).byteOffset;
  fields[word.z] = memory.reserve(4 * SLOTS * listed);
  fields[word.allUnits] = allUnits.byteOffset;
  fields[word.denseOpenness] = memory.float32(listed).fill(1).byteOffset;
  fields[word.denseC] = memory.reserve(4 * listed);
  fields[word.denseH] = memory.reserve(4 * listed);
  fields[word.coarse] = memory.reserve(3 * 4 * padded);
  return openUnits;
}
