import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { Random } from "../../sensors/random.ts";
import { bytesBeside, integersBeside, kernelsFor } from "../sequence-op/parameter-kernels.ts";
import { floatsLike, type RecurrentOp, type SequenceBatch } from "../sequence-op/sequence-op.ts";
import type { ParameterGroup } from "./parameter-group.ts";

/**
 * A learned vector for each pixel address of an event camera; with the polarity as ±1 behind it,
 * it is the layer's input (spec D20).
 */
export interface AddressEmbedding {
  readonly width: number;
  readonly height: number;
  /** D; the layer has D + 1 inputs. */
  readonly dimensions: number;
  /** [height · width, D] */
  readonly table: FloatArray;
  readonly gradient: FloatArray;
  /** [N] address y · width + x of each event of a batch, by the caller. */
  readonly address: Int32Array;
  /** [N] 1 for ON, 0 for OFF. */
  readonly on: Uint8Array;
}

/**
 * Random Fourier features: neighbouring pixels get similar vectors, which trains far better than
 * independent numbers.
 *
 * @param layer that reads the vectors
 * @param scale amplitude of a feature
 * @param radiansPerPixel standard deviation of a feature's spatial frequency
 */
export function createAddressEmbedding(
  sizes: { readonly width: number; readonly height: number; readonly dimensions: number },
  layer: RecurrentOp,
  random: Random,
  { scale = 0.705, radiansPerPixel = 0.2 }: { scale?: number; radiansPerPixel?: number } = {},
): AddressEmbedding {
  const { width, height, dimensions } = sizes;
  const table = floatsLike(layer, width * height * dimensions);
  for (let d = 0; d < dimensions; d++) {
    const omegaX = radiansPerPixel * random.normal();
    const omegaY = radiansPerPixel * random.normal();
    const offset = 2 * Math.PI * random.uniform();
    for (let pixel = 0; pixel < width * height; pixel++) {
      const angle = omegaX * (pixel % width) + omegaY * Math.floor(pixel / width) + offset;
      table[pixel * dimensions + d] = scale * Math.cos(angle);
    }
  }
  return {
    ...sizes,
    table,
    gradient: floatsLike(layer, table.length),
    address: integersBeside(table, layer.limits.eventsMax),
    on: bytesBeside(table, layer.limits.eventsMax),
  };
}

export function embeddingGroup(embedding: AddressEmbedding): ParameterGroup {
  return {
    name: "embedding",
    values: embedding.table,
    gradient: embedding.gradient,
    rateFactor: 1,
    decays: true,
  };
}

/** Writes the inputs `x` of the first `events` events. */
export function embedEvents(
  embedding: AddressEmbedding,
  batch: SequenceBatch,
  events: number,
): void {
  const { dimensions, table, address, on } = embedding;
  const { x } = batch;
  const kernels = kernelsFor([x, table], [address, on]);
  if (kernels !== undefined) {
    const [addressAt, onAt] = [address.byteOffset, on.byteOffset];
    kernels.embedEvents(x.byteOffset, table.byteOffset, addressAt, onAt, events, dimensions);
    return;
  }
  for (let n = 0; n < events; n++) {
    const to = n * (dimensions + 1);
    const from = address[n]! * dimensions;
    for (let d = 0; d < dimensions; d++) x[to + d] = table[from + d]!;
    x[to + dimensions] = on[n] === 1 ? 1 : -1;
  }
}

/** Adds the derivatives by the table, from those by `x`. */
export function backwardEmbedding(
  embedding: AddressEmbedding,
  batch: SequenceBatch,
  events: number,
): void {
  const { dimensions, gradient, address } = embedding;
  const { xGradient } = batch;
  const kernels = kernelsFor([gradient, xGradient], [address]);
  if (kernels !== undefined) {
    const [to, from] = [gradient.byteOffset, xGradient.byteOffset];
    kernels.addEmbeddingGradients(to, from, address.byteOffset, events, dimensions);
    return;
  }
  for (let n = 0; n < events; n++) {
    const from = n * (dimensions + 1);
    const to = address[n]! * dimensions;
    for (let d = 0; d < dimensions; d++) gradient[to + d]! += xGradient[from + d]!;
  }
}
