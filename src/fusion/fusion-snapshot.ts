import type { FusionState, StreamProgress } from "./fusion-state.ts";

/**
 * A copy of a stream's state in memory, to go back to: cheaper than a checkpoint, and with all that
 * a checkpoint derives anew. Taken between ticks. It can be taken again and again without
 * allocating.
 */
export interface FusionSnapshot {
  /** Bytes it keeps. */
  readonly bytes: number;
  /** Makes it a copy of `state`, which must be of the graph it was created for. */
  take(state: FusionState): void;
  /** Brings `state` back to what it was, bit for bit. */
  restore(state: FusionState): void;
}

/** An empty snapshot for states of the same graph as `like`. */
export function createFusionSnapshot(like: FusionState): FusionSnapshot {
  const copies = arraysOf(like).map((array) => array.slice());
  let epochUs: StreamProgress["epochUs"];
  let ticks = 0;
  let timeUs: StreamProgress["timeUs"];
  const governing = { ...like.governor?.progress };
  return {
    bytes: copies.reduce((sum, { byteLength }) => sum + byteLength, 0),
    take: (state) => {
      arraysOf(state).forEach((array, i) => {
        copies[i]!.set(array);
      });
      ({ epochUs, ticks, timeUs } = state.progress);
      Object.assign(governing, state.governor?.progress);
    },
    restore: (state) => {
      arraysOf(state).forEach((array, i) => {
        array.set(copies[i]!);
      });
      Object.assign(state.progress, { epochUs, ticks, timeUs });
      if (state.governor !== undefined) Object.assign(state.governor.progress, governing);
      state.news = 0;
    },
  };
}

type StateArray = Float32Array | Float64Array | Uint8Array | Int32Array;

/** Everything that changes, but for a few numbers. */
function arraysOf({
  arena,
  heads,
  headStale,
  lastClass,
  progress,
  work,
  governor,
}: FusionState): readonly StateArray[] {
  return [
    arena,
    ...heads,
    headStale,
    lastClass,
    progress.sensorTimeUs,
    progress.sensorEvents,
    work.steps,
    work.unitUpdates,
    ...(governor === undefined ? [] : [governor.levels, governor.unitsNs]),
  ];
}
