import * as at from "./layout";

/**
 * Sorts the entries of some events by unit, so that the rows of a unit are read once for all of
 * them. Of each entry `entryOf` then gives where its z is, and where the v of its event.
 *
 * @param events number of each event, `count` of them
 * @param views address of the v, or of its derivative, of each event
 */
export function sortByUnit(layout: usize, events: usize, views: usize, count: i32): void {
  const units = at.units(layout);
  const start = at.start(layout);
  const unit = at.unit(layout);
  const gates = at.gates(layout);
  const sorted = at.sortedEntries(layout);
  // Counting sort: `next` is where a unit's next entry goes, at first the start of its part and in
  // the end the start of the next one's.
  const next = at.unitStart(layout) + 4;
  memory.fill(next - 4, 0, (units + 2) << 2);
  for (let i = 0; i < count; i++) {
    const n: usize = load<i32>(events + (i << 2));
    const last: usize = load<i32>(start + (n << 2), 4);
    for (let e: usize = load<i32>(start + (n << 2)); e < last; e++) {
      const entries = next + (load<u32>(unit + (e << 2)) << 2) + 4;
      store<u32>(entries, load<u32>(entries) + 1);
    }
  }
  for (let u: usize = 0; u < units; u++) {
    const from = next + (u << 2);
    store<u32>(from, load<u32>(from, 4) + load<u32>(from), 4);
  }
  for (let i = 0; i < count; i++) {
    const n: usize = load<i32>(events + (i << 2));
    const view = load<u32>(views + (i << 2));
    const last: usize = load<i32>(start + (n << 2), 4);
    for (let e: usize = load<i32>(start + (n << 2)); e < last; e++) {
      const place = next + (load<u32>(unit + (e << 2)) << 2);
      const index = load<u32>(place);
      store<u32>(place, index + 1);
      store<u32>(sorted + (index << 3), gates + (e << 4));
      store<u32>(sorted + (index << 3), view, 4);
    }
  }
}

/** Address of the first sorted entry of unit u, eight bytes each; that of u + 1 is its end. */
@inline
export function firstEntryOf(layout: usize, u: usize): usize {
  return at.sortedEntries(layout) + (load<u32>(at.unitStart(layout) + (u << 2)) << 3);
}

/** Where the four z of a sorted entry are. */
@inline
export function zOf(entry: usize): usize {
  return load<u32>(entry);
}

/** Where the v, or its derivative, of a sorted entry's event is. */
@inline
export function viewOfEntry(entry: usize): usize {
  return load<u32>(entry, 4);
}
