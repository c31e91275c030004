import { z } from "zod";
import { cellNames } from "../../train/tasks/cell-name.ts";
import { type TaskChoices, taskNames } from "../../train/tasks/create-task.ts";

/** Where a run is written and how it goes on, beside what is learned. */
export interface RunChoices {
  readonly out: string;
  readonly seed: number;
  readonly reportEvery: number;
  readonly validateEvery: number;
  readonly patience: number;
  readonly workers: number;
  readonly testSequences: number;
}

/** What a training file says. */
export interface TrainConfig extends TaskChoices, Partial<RunChoices> {
  readonly task: string;
}

const count = z.int().min(0);
const positive = z.number().positive();
const share = z.number().min(0).lt(1);
const shares = z.record(z.string(), share);

const optimizer = z.strictObject({
  name: z.enum(["adam", "rmsprop", "sgd"]).exactOptional(),
  weightDecay: z
    .number()
    .min(0)
    .exactOptional()
    .describe("decoupled, of matrices, as a share of the rate; with adam: AdamW"),
  momentum: share.exactOptional().describe("β1 of Adam; momentum of SGD"),
  squareDecay: share.exactOptional().describe("β2 of Adam; smoothing of RMSProp"),
});

/** A run of `polyphase train` as a file: the options of the command line by name, and the recipe. */
export const trainConfigSchema: z.ZodType<TrainConfig> = z.strictObject({
  task: z.enum(taskNames),
  out: z.string().min(1).exactOptional(),
  seed: count.exactOptional(),
  batches: z.int().min(1).exactOptional(),
  rate: positive.exactOptional(),
  optimizer: optimizer.exactOptional(),
  warmupBatches: count.exactOptional(),
  finalShare: z.number().min(0).max(1).exactOptional().describe("rate at the end, of the peak"),
  clipNorm: positive.exactOptional(),
  clipValue: positive.exactOptional(),
  gateRate: z.number().min(0).exactOptional().describe("rate of τ, s and r_on, of the others'"),
  openRatio: positive.max(1).exactOptional(),
  periodMs: z.tuple([positive, positive]).exactOptional(),
  units: z.int().min(1).exactOptional(),
  cell: z.enum(cellNames).exactOptional(),
  spread: z.enum(["stratified", "random"]).exactOptional(),
  learn: z.array(z.enum(["period", "shift", "open-ratio"])).exactOptional(),
  leak: share.exactOptional(),
  openPenalty: positive.exactOptional(),
  average: share.exactOptional(),
  op: z.enum(["wasm", "typescript"]).exactOptional(),
  sampling: z.enum(["1ms", "0.1ms", "async"]).exactOptional(),
  signal: z.enum(["one-sine", "two-sines"]).exactOptional(),
  data: z.string().min(1).exactOptional(),
  recordings: z.enum(["mixed", "simulated", "real"]).exactOptional(),
  holdOut: count.exactOptional(),
  simulated: count.exactOptional(),
  network: z.enum(["recurrent", "frame-cnn"]).exactOptional(),
  identity: positive.exactOptional(),
  absent: shares.exactOptional(),
  lost: shares.exactOptional(),
  dropout: share.exactOptional(),
  freeze: z.array(z.string().min(1)).exactOptional(),
  errors: z.enum(["graph", "local"]).exactOptional(),
  start: z.string().min(1).exactOptional(),
  windowMs: positive.exactOptional(),
  workers: count.exactOptional(),
  shards: z.int().min(1).exactOptional(),
  reportEvery: z.int().min(1).exactOptional(),
  validateEvery: z.int().min(1).exactOptional(),
  patience: count.exactOptional(),
  testSequences: count.exactOptional(),
});
