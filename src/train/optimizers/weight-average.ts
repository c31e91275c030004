import type { ParameterGroup } from "../network/parameter-group.ts";
import { kernelsFor } from "../sequence-op/parameter-kernels.ts";
import { likeValues } from "./optimizer.ts";

/** Exponential moving average of the learned parameters; it usually tests better than the last. */
export class WeightAverage {
  /** Averages by group name, for checkpoints. */
  readonly state: ReadonlyMap<string, Float32Array | Float64Array>;
  readonly #pairs: readonly {
    readonly values: Float32Array | Float64Array;
    readonly average: Float32Array | Float64Array;
  }[];
  readonly #decay: number;

  /** @param decay share of the average that one step keeps, in [0, 1); 0 follows the parameters */
  constructor(groups: readonly ParameterGroup[], decay: number) {
    this.#decay = decay;
    const learned = groups.filter((group) => group.rateFactor > 0);
    const entries = learned.map((group) => ({ group, average: likeValues(group) }));
    for (const { group, average } of entries) average.set(group.values);
    this.state = new Map(entries.map(({ group, average }) => [group.name, average] as const));
    this.#pairs = entries.map(({ group, average }) => ({ values: group.values, average }));
  }

  /** After a step; the first steps weigh more, so that the start is soon forgotten. */
  update(step: number): void {
    if (this.#decay === 0) return;
    const keep = Math.min(this.#decay, (step + 1) / (step + 10));
    for (const { values, average } of this.#pairs) {
      const { length } = values;
      const kernels = kernelsFor([average, values]);
      if (kernels !== undefined) {
        kernels.updateAverage(average.byteOffset, values.byteOffset, length, keep, 1 - keep);
        continue;
      }
      for (let m = 0; m < length; m++) average[m] = keep * average[m]! + (1 - keep) * values[m]!;
    }
  }

  /** Runs `use` with the averages in the place of the parameters. */
  apply<T>(use: () => T): T {
    if (this.#decay === 0) return use();
    this.#swap();
    try {
      return use();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    for (const { values, average } of this.#pairs) {
      for (let m = 0; m < values.length; m++) {
        const value = values[m]!;
        values[m] = average[m]!;
        average[m] = value;
      }
    }
  }
}
