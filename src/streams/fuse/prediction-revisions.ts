import type { Prediction } from "../../fusion/prediction.ts";

/** The last word on one prediction, and whether it still has to be told. */
export interface Revised {
  readonly prediction: Prediction;
  readonly isNews: boolean;
}

/** Compares what a stream says now about a stretch of time with what it said before. */
export class PredictionRevisions {
  /** What was said, by head and time; in order, where a head spoke twice at one time. */
  readonly #before: Map<string, Prediction[]> = new Map();

  /** @param before the last that was emitted of each prediction, retractions too */
  constructor(before: Iterable<Prediction>) {
    for (const prediction of before) {
      const same = this.#before.get(keyOf(prediction));
      if (same === undefined) this.#before.set(keyOf(prediction), [prediction]);
      else same.push(prediction);
    }
  }

  /** What is said now in the place of what was said. */
  revise(prediction: Prediction): Revised {
    const before = this.#before.get(keyOf(prediction))?.shift();
    if (before === undefined) return { prediction, isNews: true };
    if (isSame(before, prediction)) return { prediction: before, isNews: false };
    return { prediction: { ...prediction, revision: nextRevision(before) }, isNews: true };
  }

  /** What was said before, and has not been said again. */
  retractions(): readonly Revised[] {
    return [...this.#before.values()].flat().map((before) => {
      if (before.retracted === true) return { prediction: before, isNews: false };
      const prediction = { ...before, revision: nextRevision(before), retracted: true } as const;
      return { prediction, isNews: true };
    });
  }
}

function nextRevision({ revision = 0 }: Prediction): number {
  return revision + 1;
}

function keyOf({ head, timeUs }: Prediction): string {
  return `${timeUs} ${head}`;
}

/** Equal but for the revision. */
function isSame(a: Prediction, b: Prediction): boolean {
  return (
    a.retracted === b.retracted &&
    a.tick === b.tick &&
    a.held === b.held &&
    a.label === b.label &&
    a.score === b.score &&
    a.values.length === b.values.length &&
    a.values.every((value, i) => Object.is(value, b.values[i])) &&
    hasSameAges(a.ageUs, b.ageUs)
  );
}

function hasSameAges(a: Prediction["ageUs"], b: Prediction["ageUs"]): boolean {
  const sensors = Object.keys(a);
  return (
    sensors.length === Object.keys(b).length && sensors.every((sensor) => a[sensor] === b[sensor])
  );
}
