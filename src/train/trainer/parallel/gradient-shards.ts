import type { BatchResult } from "../../network/sequence-network.ts";
import type { TrainableNetwork, TrainingPass } from "../../network/trainable-network.ts";
import { playTape, type TapeContents, type TapeRange } from "../batch-tape.ts";

/**
 * What threads share while they train: parameters, and of each part of a batch its gradient and
 * results. All in float64, which holds every float32.
 */
export interface ShardMemory {
  readonly shards: number;
  /** Of all groups, one behind the other. */
  readonly parameters: Float64Array;
  /** [shards, parameters] */
  readonly gradients: Float64Array;
  /** [shards, 5] */
  readonly results: Float64Array;
  /** [B, S] what the sequences carry from window to window. */
  readonly carried: Float64Array;
}

/** One batch, as it is handed to whoever computes some of its shards. */
export interface ShardJob {
  readonly tape: TapeContents;
  readonly range: TapeRange;
  readonly continues: boolean;
  /** Seed of what dropout leaves out in the batch's first sequence; the others follow. */
  readonly dropoutSeed: number;
  readonly leak: number;
}

const resultLength = 5;

export function createShardMemory(network: TrainableNetwork, shards: number): ShardMemory {
  const parameters = network.groups.reduce((sum, { values }) => sum + values.length, 0);
  const shared = (length: number): Float64Array =>
    new Float64Array(new SharedArrayBuffer(8 * length));
  return {
    shards,
    parameters: shared(parameters),
    gradients: shared(shards * parameters),
    results: shared(shards * resultLength),
    carried: shared(network.carried.length),
  };
}

/** Puts the parameters and what is carried where all threads see them. */
export function publishParameters(network: TrainableNetwork, memory: ShardMemory): void {
  let at = 0;
  for (const { values } of network.groups) {
    memory.parameters.set(values, at);
    at += values.length;
  }
  memory.carried.set(network.carried);
}

/** Takes the published parameters over into the network of another thread. */
export function adoptParameters(network: TrainableNetwork, { parameters }: ShardMemory): void {
  let at = 0;
  for (const { values } of network.groups) {
    values.set(parameters.subarray(at, at + values.length));
    at += values.length;
  }
}

/**
 * Computes the gradient of one shard: sequences next to each other, and as many for every shard as
 * for any other or one more. Which sequences they are depends on the number of shards alone, so
 * the bits of a run do not depend on the number of threads.
 */
export function runShard(
  network: TrainableNetwork,
  memory: ShardMemory,
  job: ShardJob,
  shard: number,
): void {
  const { stateLength } = network;
  const count = job.range.to - job.range.from;
  const from = job.range.from + Math.floor((shard * count) / memory.shards);
  const to = job.range.from + Math.floor(((shard + 1) * count) / memory.shards);
  const results = memory.results.subarray(shard * resultLength, (shard + 1) * resultLength);
  const length = memory.parameters.length;
  const gradients = memory.gradients.subarray(shard * length, (shard + 1) * length);
  results.fill(0);
  if (from === to) return;
  const carried = memory.carried.subarray(from * stateLength, to * stateLength);
  for (const layer of network.layers) if (layer.shape.evaluate === "all") layer.leak = job.leak;
  network.carried.set(carried);
  const sink = network.beginBatch();
  playTape(job.tape, { ...job.range, from, to }, sink);
  const pass: TrainingPass = {
    continues: job.continues,
    dropoutSeed: (b) => job.dropoutSeed + from + b,
  };
  const result = network.trainBatch(sink.sequences, pass);
  const { sequences, loss, correct, openUnits, unitEvents } = result;
  results.set([sequences, loss, correct, openUnits, unitEvents]);
  carried.set(network.carried.subarray(0, carried.length));
  let at = 0;
  for (const { gradient } of network.groups) {
    gradients.set(gradient, at);
    gradient.fill(0);
    at += gradient.length;
  }
}

/**
 * Adds the gradients of all shards in order to those of the network, as means over all answers, and
 * takes over what the sequences carry.
 */
export function sumShards(network: TrainableNetwork, memory: ShardMemory): BatchResult {
  const result = [0, 0, 0, 0, 0];
  for (let m = 0; m < memory.results.length; m++) {
    result[m % resultLength]! += memory.results[m]!;
  }
  const [sequences, loss, correct, openUnits, unitEvents] = result as [
    number,
    number,
    number,
    number,
    number,
  ];
  const length = memory.parameters.length;
  const shares = Array.from({ length: memory.shards }, (_, shard) => {
    return memory.results[shard * resultLength]! / Math.max(1, sequences);
  });
  let at = 0;
  for (const { gradient } of network.groups) {
    for (let m = 0; m < gradient.length; m++, at++) {
      let sum = 0;
      for (let shard = 0; shard < memory.shards; shard++) {
        if (shares[shard]! > 0) sum += shares[shard]! * memory.gradients[shard * length + at]!;
      }
      gradient[m]! += sum;
    }
  }
  network.carried.set(memory.carried);
  return { sequences, loss, correct, openUnits, unitEvents };
}
