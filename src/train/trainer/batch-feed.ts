import { Random } from "../../sensors/random.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import type { TrainableNetwork, TrainingPass } from "../network/trainable-network.ts";
import type { HeldOutSet, RecordingWindows, TrainTask } from "../tasks/train-task.ts";
import { BatchTape, type TapeRange } from "./batch-tape.ts";
import { MaskedWriter } from "./masked-writer.ts";
import { trainingRandom } from "./training-seed.ts";

/** Where a batch lies: which recordings, and which window of them. */
interface BatchPlace {
  readonly recordings: number;
  readonly window: number;
}

/** Gives the batches of a run, each by its number alone, so that a run can go on anywhere. */
export class BatchFeed {
  readonly #task: TrainTask<TrainableNetwork>;
  readonly #seed: number;
  /** Two, so that one can be written while threads read the other. */
  readonly #tapes: readonly { readonly tape: BatchTape; recordings: number }[];

  /** @param eventsMax most events that a batch may hold */
  constructor(task: TrainTask<TrainableNetwork>, seed: number, eventsMax: number) {
    this.#task = task;
    this.#seed = seed;
    this.#tapes = [0, 1].map(() => ({ tape: new BatchTape(eventsMax), recordings: -1 }));
  }

  /** Whether batches are parts of what is written at once. */
  get isTaped(): boolean {
    const { windows, shards } = this.#task.recipe;
    return windows !== undefined || shards !== undefined;
  }

  /** Writes the whole of batch `batch`, as it is without windows. */
  write(batch: number, writer: SequenceWriter): void {
    const { recipe } = this.#task;
    const random = trainingRandom(this.#seed, "batch", batch);
    const masked =
      recipe.masking === undefined
        ? writer
        : new MaskedWriter(writer, recipe.masking, new Random(random.uint32()));
    const first = batch * (recipe.windows?.count ?? 1);
    this.#task.writeBatch(masked, random, { batch: first, batches: recipe.batches });
  }

  /** The tape that holds batch `batch`; the one before it stays as it is. */
  tape(batch: number): BatchTape {
    const { recordings } = this.#place(batch);
    const slot = this.#tapes[recordings % 2]!;
    if (slot.recordings !== recordings) {
      slot.tape.clear();
      this.write(recordings, slot.tape);
      slot.recordings = recordings;
    }
    return slot.tape;
  }

  /** What of its tape batch `batch` is. */
  range(batch: number): TapeRange {
    const { windows } = this.#task.recipe;
    const to = this.tape(batch).sequences;
    return { from: 0, to, window: windows && windowAt(windows, this.#place(batch).window) };
  }

  /** Dropout differs from batch to batch and from sequence to sequence. */
  pass(batch: number): TrainingPass {
    const base = trainingRandom(this.#seed, "batch", batch).uint32() * 2 ** 16;
    return { continues: this.#place(batch).window > 0, dropoutSeed: (b) => base + b };
  }

  #place(batch: number): BatchPlace {
    const count = this.#task.recipe.windows?.count ?? 1;
    return { recordings: Math.floor(batch / count), window: batch % count };
  }
}

/** Window `index` of a recording. */
export function windowAt(
  { count, durationUs }: RecordingWindows,
  index: number,
): { readonly fromUs: number; readonly toUs: number } {
  const isLast = index + 1 === count;
  return {
    fromUs: index * durationUs,
    toUs: isLast ? Number.POSITIVE_INFINITY : (index + 1) * durationUs,
  };
}

/** Writes a held-out batch, all of it without one sensor if `without` is its index. */
export function writeHeldOut(
  task: TrainTask<TrainableNetwork>,
  writer: SequenceWriter,
  { set, index, without }: { set: HeldOutSet; index: number; without: number | undefined },
): void {
  if (without === undefined) {
    task.writeHeldOutBatch(writer, set, index);
    return;
  }
  const absent = Array.from({ length: without + 1 }, (_, sensor) => (sensor === without ? 1 : 0));
  const masked = new MaskedWriter(writer, { absent, lost: [] }, new Random(0));
  task.writeHeldOutBatch(masked, set, index);
}
