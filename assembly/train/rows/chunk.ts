import * as at from "../layout";

/**
 * Sorts the entries of some steps by unit, so that a unit's gradients are loaded and stored once for
 * all of them. Of each sorted entry, eight bytes: where its z is, and the v that it was made of.
 *
 * @param first step of the chunk, and `steps` of them; the v of its last step were kept first
 * @param stepBytes of the kept v of one step
 */
export function sortChunk(layout: usize, first: usize, steps: usize, stepBytes: usize): void {
  const units = at.units(layout);
  const entries = at.entries(layout);
  const gates = at.gates(layout);
  const sorted = at.chunkEntries(layout);
  // Counting sort: `next` is where a unit's next entry goes, at first the start of its part and in
  // the end the start of the next one's.
  const next = at.unitStart(layout) + 4;
  memory.fill(next - 4, 0, (units + 2) << 2);
  const from = at.firstEntryOf(layout, first);
  const to = at.firstEntryOf(layout, first + steps);
  for (let e = from; e < to; e++) {
    const count = next + (at.unitOf(entries, e) << 2) + 4;
    store<u32>(count, load<u32>(count) + 1);
  }
  for (let u: usize = 0; u < units; u++) {
    const start = next + (u << 2);
    store<u32>(start, load<u32>(start, 4) + load<u32>(start), 4);
  }
  let kept = at.chunkViews(layout) + steps * stepBytes - at.v(layout);
  let e = from;
  for (let step = first; step < first + steps; step++) {
    kept -= stepBytes;
    const last = at.firstEntryOf(layout, step + 1);
    for (; e < last; e++) {
      const place = next + (at.unitOf(entries, e) << 2);
      const index = load<u32>(place);
      store<u32>(place, index + 1);
      store<u32>(sorted + (index << 3), gates + (e << 4));
      store<u32>(sorted + (index << 3), at.viewOfEntry(entries, e) + kept, 4);
    }
  }
}
