import * as at from "../layout";
import { firstEventOf } from "../rounds";

// Where every unit is evaluated, sequences lie side by side, each in a lane of its own, four lanes in a
// vector; those of a round are the first ones. What is computed in lanes without a sequence is not used.

/** Lanes of `active` sequences: as many, or up to three more. */
@inline
export function lanesFor(active: usize): usize {
  return (active + 3) & ~3;
}

/** Sequences of a round. */
@inline
export function activeIn(layout: usize, round: usize): usize {
  return (firstEventOf(layout, round + 1) - firstEventOf(layout, round)) >> 3;
}

/** From one element of v, c or their derivatives to the next: the lanes of the first round. */
@inline
export function elementBytes(layout: usize): usize {
  return lanesFor(activeIn(layout, 0)) << 2;
}

/** z, gates and derivatives by z of a round: by four lanes, in these unit by unit, then gate by gate. */
@inline
export function gatesOf(layout: usize, round: usize): usize {
  return at.gates(layout) + (at.firstEntryOf(layout, round) << 4);
}

/** From four lanes of them to the next four. */
@inline
export function gatesBytes(layout: usize): usize {
  return at.units(layout) << 6;
}

/** Old c, old h and tanh(c~) of a round: unit by unit, then by four lanes. */
@inline
export function cellsOf(layout: usize, round: usize): usize {
  return at.cells(layout) + at.firstEntryOf(layout, round) * 12;
}

/** k of a round: unit by unit, then lane by lane. */
@inline
export function opennessOf(layout: usize, round: usize): usize {
  return at.k(layout) + (at.firstEntryOf(layout, round) << 2);
}
