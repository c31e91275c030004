// Where everything lies: one 32-bit field per pointer or size, written by the TypeScript side in
// this order. Pointers are byte addresses, multiples of 16.

@inline
function field(layout: usize, index: usize): usize {
  return load<u32>(layout + (index << 2));
}

// biome-ignore format: one line per field
@inline export function inputs(layout: usize): usize { return field(layout, 0); }
@inline export function units(layout: usize): usize { return field(layout, 1); }
@inline export function length(layout: usize): usize { return field(layout, 2); }
@inline export function entriesMax(layout: usize): usize { return field(layout, 3); }
@inline export function chunkEventsMax(layout: usize): usize { return field(layout, 4); }
@inline export function rows(layout: usize): usize { return field(layout, 5); }
@inline export function peepholes(layout: usize): usize { return field(layout, 6); }
@inline export function rowsGradient(layout: usize): usize { return field(layout, 7); }
@inline export function peepholesGradient(layout: usize): usize { return field(layout, 8); }
@inline export function frequency(layout: usize): usize { return field(layout, 9); }
@inline export function shift(layout: usize): usize { return field(layout, 10); }
@inline export function openRatio(layout: usize): usize { return field(layout, 11); }
@inline export function offsets(layout: usize): usize { return field(layout, 12); }
@inline export function timeUs(layout: usize): usize { return field(layout, 13); }
@inline export function x(layout: usize): usize { return field(layout, 14); }
@inline export function readFrom(layout: usize): usize { return field(layout, 15); }
@inline export function h(layout: usize): usize { return field(layout, 16); }
@inline export function hGradient(layout: usize): usize { return field(layout, 17); }
@inline export function xGradient(layout: usize): usize { return field(layout, 18); }
@inline export function stateH(layout: usize): usize { return field(layout, 19); }
@inline export function stateC(layout: usize): usize { return field(layout, 20); }
@inline export function entryStart(layout: usize): usize { return field(layout, 21); }
@inline export function entries(layout: usize): usize { return field(layout, 22); }
@inline export function phi(layout: usize): usize { return field(layout, 23); }
@inline export function turns(layout: usize): usize { return field(layout, 24); }
@inline export function k(layout: usize): usize { return field(layout, 25); }
@inline export function kGradient(layout: usize): usize { return field(layout, 26); }
@inline export function gates(layout: usize): usize { return field(layout, 27); }
@inline export function cells(layout: usize): usize { return field(layout, 28); }
@inline export function v(layout: usize): usize { return field(layout, 29); }
@inline export function c(layout: usize): usize { return field(layout, 30); }
@inline export function vGradient(layout: usize): usize { return field(layout, 31); }
@inline export function cGradient(layout: usize): usize { return field(layout, 32); }
@inline export function logPeriodGradient(layout: usize): usize { return field(layout, 33); }
@inline export function shiftGradient(layout: usize): usize { return field(layout, 34); }
@inline export function openRatioGradient(layout: usize): usize { return field(layout, 35); }
@inline export function activeTimes(layout: usize): usize { return field(layout, 36); }
@inline export function activeViews(layout: usize): usize { return field(layout, 37); }
@inline export function nextOpen(layout: usize): usize { return field(layout, 38); }
@inline export function chunkViews(layout: usize): usize { return field(layout, 39); }
@inline export function unitStart(layout: usize): usize { return field(layout, 40); }
@inline export function chunkEntries(layout: usize): usize { return field(layout, 41); }
@inline export function period(layout: usize): usize { return field(layout, 42); }
@inline export function openSlope(layout: usize): usize { return field(layout, 43); }
@inline export function roundStart(layout: usize): usize { return field(layout, 44); }
@inline export function roundEvents(layout: usize): usize { return field(layout, 45); }
@inline export function roundCount(layout: usize): usize { return field(layout, 46); }
@inline export function packedRows(layout: usize): usize { return field(layout, 47); }

/** Bytes of one v. */
@inline
export function viewBytes(layout: usize): usize {
  return length(layout) << 2;
}

/** v of sequence b; its c, and the derivatives by both, lie as far behind their first ones. */
@inline
export function viewOf(layout: usize, b: usize): usize {
  return v(layout) + b * viewBytes(layout);
}

/** First entry of a round; that of the next round is its end. */
@inline
export function firstEntryOf(layout: usize, round: usize): usize {
  return load<u32>(entryStart(layout) + (round << 2));
}

/** Unit of an entry. */
@inline
export function unitOf(entries: usize, e: usize): usize {
  return load<u32>(entries + (e << 3));
}

/** v of the sequence of an entry. */
@inline
export function viewOfEntry(entries: usize, e: usize): usize {
  return load<u32>(entries + (e << 3), 4);
}
