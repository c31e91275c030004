import { Layer } from "./layer";

/**
 * A layer whose input is always one of known vectors, and what is kept of its open units while the
 * same ones are open. `wasm-address-layer.ts` writes the fields in this order.
 *
 * Lists of units are completed to whole groups of 4 by repeating the last one; so are all values kept
 * for them, which lie in groups of 4 units.
 */
@unmanaged
export class AddressLayer {
  /** It has no columns of inputs. */
  layer: Layer;
  /**
   * f32 [unit][address][slot]: what a vector adds to a unit's pre-activations, its bias included. A
   * unit stays open for many events, so the rows read lie close together.
   */
  table: usize;
  /** Number of vectors. */
  addresses: u32;
  /** f32 [unit][unit][slot]: the recurrent weights; 0 if units are never kept. */
  columns: usize;
  /** f64 per unit, padded to whole groups of 4: τ, infinite in the padding. */
  periodUs: usize;
  /** How many units are kept; 0 if none are. In a span none are only if none is open. */
  count: u32;
  /** Events closer than this likely find the same units open. */
  nearUs: f64;
  /** What a span is shorter than it might be: see open-span.ts. */
  slackUs: f64;
  /** The open units are the same from `fromUs` to before `untilUs`, since the epoch. */
  fromUs: f64;
  untilUs: f64;
  /** u32 [unit] each: the units, and where their rows begin in the table. */
  units: usize;
  rows: usize;
  /** f64 [unit] each: phase at the start of the epoch, 1/τ, 2/r_on. */
  bases: usize;
  frequency: usize;
  slope: usize;
  /** f32 [unit] each: the stream's state. */
  c: usize;
  h: usize;
  /** f32 [unit / 4][w_ci, w_cf, 0, w_co][4] */
  peepholes: usize;
  /** f32 [unit / 4][slot][4]: what the closed units add to the pre-activations. */
  closedSums: usize;
  /** f32 [unit / 4][open unit][slot][4]: the weights by which open units reach open units. */
  weights: usize;
}

/** Most units that are kept, and summed apart from the closed ones: more are a plain layer's. */
export const KEPT_MAX: u32 = 32;
