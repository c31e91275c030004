import * as at from "../layout";

/**
 * Sorts the entries of some rounds by unit, so that a unit's gradients are loaded and stored once for
 * all of them. Of each sorted entry, eight bytes: where its z is, and the v that it was made of.
 *
 * @param first round of the chunk, and `rounds` of them; the v of its last round were kept first
 * @param roundBytes of the kept v of one round
 */
export function sortChunk(layout: usize, first: usize, rounds: usize, roundBytes: usize): void {
  const units = at.units(layout);
  const entries = at.entries(layout);
  const gates = at.gates(layout);
  const sorted = at.chunkEntries(layout);
  // Counting sort: `next` is where a unit's next entry goes, at first the start of its part and in
  // the end the start of the next one's.
  const next = at.unitStart(layout) + 4;
  memory.fill(next - 4, 0, (units + 2) << 2);
  const from = at.firstEntryOf(layout, first);
  const to = at.firstEntryOf(layout, first + rounds);
  for (let e = from; e < to; e++) {
    const count = next + (at.unitOf(entries, e) << 2) + 4;
    store<u32>(count, load<u32>(count) + 1);
  }
  for (let u: usize = 0; u < units; u++) {
    const start = next + (u << 2);
    store<u32>(start, load<u32>(start, 4) + load<u32>(start), 4);
  }
  let kept = at.chunkViews(layout) + rounds * roundBytes - at.v(layout);
  let e = from;
  for (let round = first; round < first + rounds; round++) {
    kept -= roundBytes;
    const last = at.firstEntryOf(layout, round + 1);
    for (; e < last; e++) {
      const place = next + (at.unitOf(entries, e) << 2);
      const index = load<u32>(place);
      store<u32>(place, index + 1);
      store<u32>(sorted + (index << 3), gates + (e << 4));
      store<u32>(sorted + (index << 3), at.viewOfEntry(entries, e) + kept, 4);
    }
  }
}
