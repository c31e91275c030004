import * as at from "../layout";
import { eventOf, firstEventOf, planRounds, roundsOf, sequenceOf } from "../rounds";
import { beginScan, listOpen } from "./open-units";

/**
 * Decides on the rounds, and lists the open units, round by round, in a round unit by unit.
 *
 * @param mode 0 triangular gate, 1 square
 * @param reachUs how far a sequence may be ahead of others
 * @returns number of entries, −1 if there is not room for all
 */
export function scanGates(layout: usize, sequences: i32, mode: i32, reachUs: f64): i32 {
  planRounds(layout, sequences, reachUs);
  beginScan(layout);
  const starts = at.entryStart(layout);
  const rounds = roundsOf(layout);
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    store<i32>(starts + (round << 2), count);
    const active = gatherActive(layout, round);
    count = listOpen(layout, active, count, mode);
    if (count < 0) return -1;
  }
  store<i32>(starts + (rounds << 2), count);
  return count;
}

/**
 * Lists the times and the v of the sequences of a round.
 *
 * @returns how many there are
 */
function gatherActive(layout: usize, round: usize): usize {
  const begin = firstEventOf(layout, round);
  const end = firstEventOf(layout, round + 1);
  const times = at.activeTimes(layout);
  const views = at.activeViews(layout);
  let active: usize = 0;
  for (let place = begin; place < end; place += 8, active++) {
    const time = load<f64>(at.timeUs(layout) + (eventOf(place) << 3));
    store<f64>(times + (active << 3), time);
    store<u32>(views + (active << 2), at.viewOf(layout, sequenceOf(place)));
  }
  return active;
}
