import * as at from "../layout";
import { lanesFor } from "./lanes-of";

/**
 * Rounds of events of equal rank. Sequences go by length, so that those of a round are the first lanes;
 * who has no events has no lane.
 */
export function planLanes(layout: usize, sequences: usize): void {
  const offsets = at.offsets(layout);
  const order = at.activeViews(layout);
  let active = sortByLength(offsets, sequences, order);
  const begin = at.roundEvents(layout);
  let place = begin;
  let entry: usize = 0;
  for (let round: usize = 0; ; round++) {
    while (active > 0 && eventsOf(offsets, load<u32>(order + ((active - 1) << 2))) <= round) {
      active--;
    }
    store<u32>(at.roundStart(layout) + (round << 2), (place - begin) >> 3);
    store<u32>(at.entryStart(layout) + (round << 2), entry);
    if (active == 0) {
      store<u32>(at.roundCount(layout), round);
      return;
    }
    for (let lane: usize = 0; lane < active; lane++, place += 8) {
      const b = load<u32>(order + (lane << 2));
      store<u32>(place, load<u32>(offsets + (b << 2)) + round);
      store<u32>(place, b, 4);
    }
    entry += at.units(layout) * lanesFor(active);
  }
}

/**
 * Writes the sequences with events to `order`, the longest first, those of equal length in order.
 *
 * @returns how many there are
 */
function sortByLength(offsets: usize, sequences: usize, order: usize): usize {
  let end = order;
  for (let b: usize = 0; b < sequences; b++) {
    const events = eventsOf(offsets, b);
    if (events == 0) continue;
    let place = end;
    for (; place > order && eventsOf(offsets, load<u32>(place - 4)) < events; place -= 4) {
      store<u32>(place, load<u32>(place - 4));
    }
    store<u32>(place, b);
    end += 4;
  }
  return (end - order) >> 2;
}

@inline
function eventsOf(offsets: usize, b: usize): usize {
  return load<u32>(offsets + (b << 2), 4) - load<u32>(offsets + (b << 2));
}
