import * as at from "./layout";

/**
 * Decides which events are evaluated side by side: rounds, each of at most one event of a sequence.
 *
 * Gates depend on time alone, so events at nearly the same time open the same units, whose rows are
 * then read once for all of them: a sequence waits while it is more than `reachUs` ahead of another.
 * Sequences of different hours would wait for each other to end, so if that makes more than twice the
 * rounds nobody waits.
 */
export function planRounds(layout: usize, sequences: usize, reachUs: f64): void {
  const longest = longestOf(layout, sequences);
  let rounds = fillRounds(layout, sequences, reachUs, 2 * longest);
  if (rounds < 0) rounds = fillRounds(layout, sequences, Infinity, longest);
  store<i32>(at.roundCount(layout), rounds);
}

/** Events of the longest sequence. */
function longestOf(layout: usize, sequences: usize): i32 {
  const offsets = at.offsets(layout);
  let longest = 0;
  for (let b: usize = 0; b < sequences; b++) {
    longest = max(longest, load<i32>(offsets + (b << 2), 4) - load<i32>(offsets + (b << 2)));
  }
  return longest;
}

/** @returns number of rounds, −1 if there are more than `most` */
function fillRounds(layout: usize, sequences: usize, reachUs: f64, most: i32): i32 {
  const offsets = at.offsets(layout);
  const times = at.timeUs(layout);
  // Until the scan needs them, its places hold the next event of each sequence and its time.
  const next = at.activeViews(layout);
  const nextTimes = at.activeTimes(layout);
  for (let b: usize = 0; b < sequences; b++) {
    const n = load<u32>(offsets + (b << 2));
    store<u32>(next + (b << 2), n);
    const isEmpty = n == load<u32>(offsets + (b << 2), 4);
    store<f64>(nextTimes + (b << 3), isEmpty ? Infinity : load<f64>(times + (n << 3)));
  }
  const starts = at.roundStart(layout);
  const begin = at.roundEvents(layout);
  let place = begin;
  for (let rounds = 0; rounds <= most; rounds++) {
    store<u32>(starts + (rounds << 2), (place - begin) >> 3);
    let latest: f64 = Infinity;
    for (let b: usize = 0; b < sequences; b++) {
      latest = min(latest, load<f64>(nextTimes + (b << 3)));
    }
    if (latest == Infinity) return rounds;
    latest += reachUs;
    for (let b: usize = 0; b < sequences; b++) {
      const time = load<f64>(nextTimes + (b << 3));
      if (time > latest || time == Infinity) continue;
      const n = load<u32>(next + (b << 2));
      store<u32>(place, n);
      store<u32>(place, b, 4);
      place += 8;
      store<u32>(next + (b << 2), n + 1);
      const isLast = n + 1 == load<u32>(offsets + (b << 2), 4);
      store<f64>(nextTimes + (b << 3), isLast ? Infinity : load<f64>(times + (n << 3), 8));
    }
  }
  return -1;
}

/** Number of rounds of the batch. */
@inline
export function roundsOf(layout: usize): i32 {
  return load<i32>(at.roundCount(layout));
}

/** First of a round's events; that of the next round is its end. */
@inline
export function firstEventOf(layout: usize, round: usize): usize {
  return at.roundEvents(layout) + (<usize>load<u32>(at.roundStart(layout) + (round << 2)) << 3);
}

/** Event of the batch, and its sequence, at a place among the rounds' events. */
@inline
export function eventOf(place: usize): usize {
  return load<u32>(place);
}

@inline
export function sequenceOf(place: usize): usize {
  return load<u32>(place, 4);
}
