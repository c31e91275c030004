import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { hasOscillator } from "../gate.ts";
import { gateCount, type LayerParameters } from "../layer-parameters.ts";
import { validateLayerParameters } from "../validate-layer-parameters.ts";
import { fillAddressTable } from "./address-table.ts";
import type { FloatArray, LayerState } from "./kernel.ts";
import { roundUp, SLOTS } from "./packed-layer.ts";
import { epochLengthUs } from "./phase-scan.ts";
import { type WasmExports, WasmLayer, type WasmState, writeWasmLayer } from "./wasm-layer.ts";
import type { WasmMemory } from "./wasm-memory.ts";
import type { Scheduling } from "./wasm-wheel.ts";

/** Events of one stream for an address layer, filled by the caller. */
export interface AddressBatch {
  /** [capacity], relative to the stream's origin, µs. */
  readonly timesUs: Float64Array;
  /** [capacity], each below the layer's number of addresses. */
  readonly addresses: Uint32Array;
}

/** Fields of the record of assembly/address-layer.ts, by 4-byte word. */
const word = {
  layer: 0,
  table: 1,
  addresses: 2,
  columns: 3,
  periodUs: 4,
  /** float64, like the one after it. */
  nearUs: 6,
  slackUs: 8,
  units: 14,
  rows: 15,
  bases: 16,
  frequency: 17,
  slope: 18,
  c: 19,
  h: 20,
  peepholes: 21,
  closedSums: 22,
  weights: 23,
} as const;
const RECORD_BYTES = 128;
/** Open units that are kept at most; the same in assembly/address-layer.ts. */
const KEPT_MAX = 32;
/** Shorter than this share of the mean time between changes of the open set is near. */
const NEAR_SHARE = 0.5;
/** Share of the longest period: see assembly/open-span.ts. */
const SLACK_CYCLES = 2 ** -28;

/**
 * A layer whose input is always one of A known vectors, as that of an event camera's address
 * embedding: what each adds to the pre-activations is computed when the layer is made. An event
 * then costs the recurrent columns of its open units and one row of the table for each of them; in a
 * run, if the events before it found the same units open, only the columns among these. The order of
 * addition (assembly/open-sums.ts) is not that of a plain layer.
 */
export class WasmAddressLayer {
  /** A */
  readonly addresses: number;
  readonly units: number;
  readonly stateLength: number;
  readonly #layer: WasmLayer;
  readonly #memory: WasmMemory;
  readonly #exports: WasmExports;
  /** Address of the record, for the module's exports. */
  readonly #record: number;

  /**
   * @param vectors [A, I]
   * @throws {PolyphaseError} BAD_MODEL if a size or value cannot be computed with
   */
  constructor(
    memory: WasmMemory,
    exports: WasmExports,
    parameters: LayerParameters,
    vectors: ArrayLike<number>,
    scheduling: Scheduling,
  ) {
    validateLayerParameters(parameters, { computesClosedUnits: false });
    const { inputs, units } = parameters;
    const isWhole = vectors.length > 0 && vectors.length % inputs === 0;
    const bad = Array.prototype.findIndex.call(vectors, (value) => !Number.isFinite(value));
    if (!isWhole || bad >= 0) {
      const got = isWhole ? `${vectors[bad]} at ${bad}` : `${vectors.length} numbers`;
      throw new PolyphaseError(
        "BAD_MODEL",
        `Cannot make an address layer: vectors must be finite and a multiple of ${inputs} long, got ${got}`,
      );
    }
    this.addresses = vectors.length / inputs;
    this.units = units;
    this.#memory = memory;
    this.#exports = exports;
    const table = memory.float32(this.addresses * units * SLOTS);
    fillAddressTable(table, parameters, vectors);
    const recurrent = writeWasmLayer(memory, exports, {
      ...parameters,
      inputs: 0,
      inputWeights: [],
      // The rows of the table have it in them.
      bias: new Float32Array(gateCount(parameters.cell) * units),
      recurrentBias: undefined,
    });
    this.#layer = new WasmLayer(memory, exports, recurrent, scheduling);
    this.stateLength = this.#layer.stateLength;
    this.#record = memory.reserve(RECORD_BYTES);
    const fields = memory.int32(RECORD_BYTES / 4, this.#record);
    fields[word.layer] = this.#layer.record;
    fields[word.table] = table.byteOffset;
    fields[word.addresses] = this.addresses;
    if (hasOscillator(parameters.gate) && gateCount(parameters.cell) === SLOTS) {
      writeKept(memory, fields, parameters);
    }
  }

  /** The units of the last step that were open, ascending. */
  get openUnits(): Int32Array {
    return this.#layer.openUnits;
  }

  /** Views on `arena` from `offset`, a multiple of 4, zero at first; `x` is empty. */
  bind(arena: FloatArray, offset: number): LayerState {
    return this.#layer.bind(arena, offset);
  }

  /** As LayerKernel.step, with the input at `address`. */
  step(state: LayerState, timeUs: number, address: number): number {
    this.#check(address);
    return this.#exports.stepAddress(this.#record, (state as WasmState).address, timeUs, address);
  }

  /** The same result by evaluating every row. */
  stepDense(state: LayerState, timeUs: number, address: number): number {
    this.#check(address);
    return this.#exports.stepDenseAddress(
      this.#record,
      (state as WasmState).address,
      timeUs,
      address,
    );
  }

  createBatch(capacity: number): AddressBatch {
    const timesUs = this.#memory.float64(capacity);
    const addresses = this.#memory.int32(capacity);
    return {
      timesUs,
      addresses: new Uint32Array(addresses.buffer, addresses.byteOffset, capacity),
    };
  }

  /**
   * The first `count` events of the batch, in order: the same bits as `count` calls of `step`, in about
   * a third of the time if the same units are open at several of them, as with an event camera.
   *
   * @returns the sum of open units over the events
   */
  run(state: LayerState, { timesUs, addresses }: AddressBatch, count: number): number {
    if (!(count >= 0 && count <= timesUs.length)) {
      throw new RangeError(`Cannot run batch: count must be ≤ ${timesUs.length}, got ${count}`);
    }
    for (let n = 0; n < count; n++) {
      if (addresses[n]! >= this.addresses) this.#check(addresses[n]!);
    }
    return this.#exports.runAddresses(
      this.#record,
      (state as WasmState).address,
      timesUs.byteOffset,
      addresses.byteOffset,
      count,
    );
  }

  #check(address: number): void {
    if (!(address < this.addresses)) {
      throw new RangeError(
        `Cannot step address layer: address must be < ${this.addresses}, got ${address}`,
      );
    }
  }
}

/** What summing open units apart from the closed ones, and keeping them, takes. */
function writeKept(memory: WasmMemory, fields: Int32Array, parameters: LayerParameters): void {
  const { units, periodUs } = parameters;
  const periods = memory.float64(roundUp(units, 4)).fill(Number.POSITIVE_INFINITY);
  periods.set(periodUs);
  fields[word.periodUs] = periods.byteOffset;
  fields[word.columns] = writeColumns(memory, parameters);
  const times = new Float64Array(fields.buffer, fields.byteOffset, RECORD_BYTES / 8);
  // A unit opens and closes once per period.
  times[word.nearUs / 2] = NEAR_SHARE / (2 * periods.reduce((sum, period) => sum + 1 / period, 0));
  // With shorter epochs periods are so short that an epoch may have more cycles than are reckoned with.
  const isPrecise = epochLengthUs(periods) > 1;
  times[word.slackUs / 2] = isPrecise
    ? SLACK_CYCLES * Math.max(...Array.from(periodUs))
    : Number.POSITIVE_INFINITY;
  for (const list of ["units", "rows", "c", "h"] as const) {
    // A group behind them is written when a list is completed.
    fields[word[list]] = memory.reserve(4 * (KEPT_MAX + 4));
  }
  for (const list of ["bases", "frequency", "slope"] as const) {
    fields[word[list]] = memory.reserve(8 * KEPT_MAX);
  }
  for (const list of ["peepholes", "closedSums"] as const) {
    fields[word[list]] = memory.reserve(4 * SLOTS * KEPT_MAX);
  }
  fields[word.weights] = memory.reserve(4 * SLOTS * KEPT_MAX * KEPT_MAX);
}

/** @returns address of the recurrent weights, [H, H, 4] by unit, column and slot */
function writeColumns(memory: WasmMemory, { units, recurrentWeights }: LayerParameters): number {
  const columns = memory.float32(units * units * SLOTS);
  for (let m = 0; m < units; m++) {
    for (let g = 0; g < SLOTS; g++) {
      const row = (m * SLOTS + g) * units;
      for (let j = 0; j < units; j++) {
        columns[(j * units + m) * SLOTS + g] = recurrentWeights[row + j]!;
      }
    }
  }
  return columns.byteOffset;
}
