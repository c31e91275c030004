import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { LayerParameters } from "../layer-parameters.ts";
import { validateLayerParameters } from "../validate-layer-parameters.ts";
import { fillAddressTable } from "./address-table.ts";
import type { FloatArray, LayerState } from "./kernel.ts";
import { SLOTS } from "./packed-layer.ts";
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
  /** Behind it two float64 that a run sets. */
  units: 8,
  rows: 9,
  bases: 10,
  frequency: 11,
  slope: 12,
  c: 13,
  h: 14,
  peepholes: 15,
  closedSums: 16,
  weights: 17,
} as const;
const RECORD_BYTES = 128;
/** Open units that are kept together at most; the same in assembly/address-layer.ts. */
const KEPT_MAX = 32;

/**
 * A layer whose input is always one of A known vectors, as that of an event camera's address
 * embedding: what each adds to the pre-activations is computed when the layer is made. An event
 * then costs the recurrent columns of its open units and one row of the table for each of them.
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
    // Its bias is where rows of the table are put for the step.
    const recurrent = writeWasmLayer(memory, exports, {
      ...parameters,
      inputs: 0,
      inputWeights: [],
    });
    this.#layer = new WasmLayer(memory, exports, recurrent, scheduling);
    this.stateLength = this.#layer.stateLength;
    this.#record = memory.reserve(RECORD_BYTES);
    const fields = memory.int32(RECORD_BYTES / 4, this.#record);
    fields[word.layer] = this.#layer.record;
    fields[word.table] = table.byteOffset;
    fields[word.addresses] = this.addresses;
    reserveKept(memory, fields);
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
   * The first `count` events of the batch, in order: the same bits as `count` calls of `step`.
   *
   * @returns the sum of open units over the events
   */
  run(state: LayerState, { timesUs, addresses }: AddressBatch, count: number): number {
    if (!(count >= 0 && count <= timesUs.length)) {
      throw new RangeError(`Cannot run batch: count must be ≤ ${timesUs.length}, got ${count}`);
    }
    for (let n = 0; n < count; n++) this.#check(addresses[n]!);
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

/** Gives the record memory for the open units that a run keeps together. */
function reserveKept(memory: WasmMemory, fields: Int32Array): void {
  for (const list of ["units", "rows", "c", "h"] as const) {
    fields[word[list]] = memory.reserve(4 * KEPT_MAX);
  }
  for (const list of ["bases", "frequency", "slope"] as const) {
    fields[word[list]] = memory.reserve(8 * KEPT_MAX);
  }
  for (const list of ["peepholes", "closedSums"] as const) {
    fields[word[list]] = memory.reserve(4 * SLOTS * KEPT_MAX);
  }
  fields[word.weights] = memory.reserve(4 * SLOTS * KEPT_MAX * KEPT_MAX);
}
