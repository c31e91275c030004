import { gateCount, type LayerParameters } from "../layer-parameters.ts";
import { type PackedSizes, SLOTS } from "./packed-layer.ts";
import type { WasmMemory } from "./wasm-memory.ts";

/** What of the module puts weights in order. */
export interface WeightPacker {
  packWeights(
    blocks: number,
    weights: number,
    rows: number,
    gates: number,
    units: number,
    firstColumn: number,
    columns: number,
    lastSlot: number,
  ): void;
}

/** Rows are handed over in blocks of this size, which the warm-up left, or one at a time if longer. */
const SCRATCH_BYTES = 65_536;

/**
 * Writes the weights of a layer as PackedLayer.blocks, by the module: JavaScript that runs for the
 * first time would take several times as long as the rest of loading a layer.
 *
 * @param parameters validated
 * @returns their address
 */
export function writeWeights(
  memory: WasmMemory,
  packer: WeightPacker,
  parameters: LayerParameters,
  sizes: PackedSizes,
): number {
  const { units, paddedUnits, columns } = sizes;
  const gates = gateCount(parameters.cell);
  const rowLength = gates * units;
  const rowsAtOnce = Math.max(1, Math.floor(SCRATCH_BYTES / (4 * rowLength)));
  const scratchBytes = Math.max(SCRATCH_BYTES, 4 * rowLength);
  const address = memory.reserve(4 * units * SLOTS * columns);
  const scratch = memory.float32(scratchBytes / 4, memory.reserve(scratchBytes));
  const write = (weights: ArrayLike<number>, firstColumn: number, lastSlot: number): void => {
    const all = weights instanceof Float32Array ? weights : Float32Array.from(weights);
    const rows = all.length / rowLength;
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      scratch.set(all.subarray(row * rowLength, (row + count) * rowLength));
      packer.packWeights(
        address,
        scratch.byteOffset,
        count,
        gates,
        units,
        firstColumn + row,
        columns,
        lastSlot,
      );
    }
  };
  // The reset gate of the GRU multiplies U_n h alone, so n takes two slots: 2 for x, 3 for h.
  write(parameters.recurrentWeights, 0, SLOTS - 1);
  write(parameters.inputWeights, paddedUnits, gates - 1);
  memory.release(scratch.byteOffset, scratchBytes);
  return address;
}
