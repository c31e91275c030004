// Entry of a thread of TrainingThreads: gradients of shards.
import { parentPort, workerData } from "node:worker_threads";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import { createTask } from "../../tasks/create-task.ts";
import { trainingRandom } from "../training-seed.ts";
import { adoptParameters, runShard } from "./gradient-shards.ts";
import type { ThreadAnswer, ThreadJob, TrainingThreadData } from "./training-threads.ts";

const { task: name, choices, seed, memory } = workerData as TrainingThreadData;
const task = await createTask(name, choices);
const network = task.createNetwork(trainingRandom(seed, "weights", 0));

parentPort?.on("message", ({ job, shards }: ThreadJob) => {
  let answer: ThreadAnswer;
  try {
    adoptParameters(network, memory);
    for (const shard of shards) runShard(network, memory, job, shard);
  } catch (error) {
    // Anything else is a bug: the thread ends, and the run with it.
    if (!(error instanceof PolyphaseError)) throw error;
    answer = { code: error.code, message: error.message };
  }
  parentPort?.postMessage(answer);
});
