import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tfjs from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { createNmnistEncoder } from "../../../src/sensors/dvs/codecs/nmnist.ts";
import { createDvsPacket } from "../../../src/sensors/dvs/dvs-packet.ts";
import { CountFrame } from "../../../src/sensors/dvs/render/count-frame.ts";
import { Random } from "../../../src/sensors/random.ts";
import { loadBackend } from "../../../src/train/backends/load-backend.ts";
import { FrameBatch } from "../../../src/train/frames/frame-batch.ts";
import { FrameCnn } from "../../../src/train/frames/frame-cnn.ts";
import type { BatchSink } from "../../../src/train/network/trainable-network.ts";
import { createOptimizer } from "../../../src/train/optimizers/create-optimizer.ts";
import { createTask } from "../../../src/train/tasks/create-task.ts";
import { adamDefaults } from "../../../src/train/tasks/train-task.ts";
import {
  createTraining,
  measureHeldOut,
  trainBatch,
} from "../../../src/train/trainer/train-network.ts";

const frame = { width: 17, height: 16 };
const sequences = 8;
const sizes = { frame, kernels: 2, hidden: 12, outputs: 3, sequencesMax: sequences };

/** Recordings of three classes: events in a band of the picture, and everywhere. */
function writeRecordings(batch: BatchSink, random: Random): void {
  for (let b = 0; b < sequences; b++) {
    const label = b % 3;
    for (let j = 0; j < 120; j++) {
      const y = j % 3 === 0 ? random.below(16) : 5 * label + random.below(5);
      batch.pixel(j * 100, y * frame.width + random.below(17), random.below(2));
    }
    batch.endSequence(label, 1);
  }
}

function createNetwork(tf: typeof tfjs): FrameCnn {
  const random = new Random(1);
  const network = new FrameCnn(tf, sizes, random);
  // Where a picture is empty a bias of 0 lies on the kink of leaky ReLU.
  for (const { name, values } of network.groups) {
    if (!name.endsWith("bias")) continue;
    values.forEach((_, m) => {
      values[m] = 0.1 + 0.2 * random.uniform();
    });
  }
  writeRecordings(network.beginBatch(), new Random(2));
  return network;
}

/** Losses of a few steps on one batch. */
async function trainOn(backend: "cpu" | "wasm" | "tensorflow"): Promise<number[]> {
  const network = createNetwork(await loadBackend(backend));
  const optimizer = createOptimizer({ ...adamDefaults, name: "sgd" }, network.groups);
  return Array.from({ length: 6 }, (_, step) => {
    const { loss } = network.trainBatch(sequences);
    optimizer.step(1e-2, step);
    return loss / sequences;
  });
}

function hasTensorflow(): boolean {
  try {
    createRequire(import.meta.url)("@tensorflow/tfjs-node-gpu");
    return true;
  } catch {
    return false;
  }
}

describe("FrameCnn", () => {
  it("has the gradients of the loss by every group of parameters", async () => {
    const network = createNetwork(await loadBackend("wasm"));
    network.trainBatch(sequences);
    for (const { name, values, gradient } of network.groups) {
      // Along the gradient: single derivatives are too small for float32.
      const norm = Math.hypot(...gradient);
      const start = values.slice();
      const lossAt = (distance: number): number => {
        for (let m = 0; m < values.length; m++) {
          values[m] = start[m]! + (distance * gradient[m]!) / norm;
        }
        return network.evaluateBatch(sequences).loss / sequences;
      };
      // Larger steps cross kinks of the pooling.
      const step = 5e-4;
      const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
      values.set(start);
      expect(norm, name).toBeGreaterThan(1e-3);
      expect(Math.abs(slope / norm - 1), name).toBeLessThan(0.02);
    }
  });
  it("trains alike on wasm and on cpu, and learns", async () => {
    const wasm = await trainOn("wasm");
    const cpu = await trainOn("cpu");
    wasm.forEach((loss, step) => {
      expect(Math.abs(loss - cpu[step]!)).toBeLessThan(1e-4);
    });
    expect(wasm.at(-1)!).toBeLessThan(0.9 * wasm[0]!);
  });
  it.skipIf(!hasTensorflow())("trains alike on TensorFlow, where it is installed", async () => {
    const wasm = await trainOn("wasm");
    const tensorflow = await trainOn("tensorflow");
    wasm.forEach((loss, step) => {
      expect(Math.abs(loss - tensorflow[step]!)).toBeLessThan(1e-4);
    });
  });
  it("keeps no tensor of a batch", async () => {
    const network = createNetwork(await loadBackend("wasm"));
    network.trainBatch(sequences);
    const { numTensors } = tfjs.memory();
    network.trainBatch(sequences);
    expect(tfjs.memory().numTensors).toBe(numTensors);
  });
});

describe("createTask nmnist with network frame-cnn", () => {
  it("trains on recordings, and refuses a backend that is none", async () => {
    const data = await mkdtemp(join(tmpdir(), "polyphase-frames-"));
    try {
      await mkdir(join(data, "nmnist"));
      for (const sample of [1, 2, 3]) {
        const packet = createDvsPacket(34, 34, 50);
        packet.x.fill(10 * sample);
        await writeFile(
          join(data, "nmnist", `${sample}.bs2`),
          createNmnistEncoder().encode(packet),
        );
      }
      await writeFile(join(data, "nmnist", "classes.txt"), "1 0\n2 1\n3 2\n");
      const choices = { network: "frame-cnn", recordings: "real", holdOut: 1, data } as const;
      const training = createTraining(
        await createTask("nmnist", { ...choices, backend: "wasm" }),
        1,
      );
      const first = trainBatch(training).loss;
      for (let i = 0; i < 12; i++) trainBatch(training);
      expect(trainBatch(training).loss).toBeLessThan(0.9 * first);
      expect(measureHeldOut(training, "test").sequences).toBe(1);
      const unknown = createTask("nmnist", { ...choices, backend: "abacus" });
      await expect(unknown).rejects.toThrow("it must be one of tensorflow, wasm, cpu");
    } finally {
      await rm(data, { recursive: true });
    }
  });
});

describe("FrameBatch", () => {
  it("draws what CountFrame counts, with a mean square of 1", () => {
    const random = new Random(3);
    const packet = createDvsPacket(frame.width, frame.height, 500);
    const batch = new FrameBatch(frame, 2);
    batch.pixel(0, 3, 1);
    batch.endSequence(0);
    for (let i = 0; i < packet.count; i++) {
      packet.x[i] = random.below(frame.width);
      packet.y[i] = random.below(frame.height);
      packet.on[i] = random.below(2);
      batch.pixel(i, packet.y[i]! * frame.width + packet.x[i]!, packet.on[i]!);
    }
    batch.endSequence(2);
    const counts = new CountFrame(frame);
    counts.add(packet);
    const pixels = frame.width * frame.height;
    const root = Math.hypot(...counts.counts) / Math.sqrt(2 * pixels);
    const expected = Array.from(
      { length: 2 * pixels },
      (_, m) => counts.counts[(m % 2) * pixels + (m >> 1)]! / root,
    );
    batch.pixels.subarray(2 * pixels).forEach((value, m) => {
      expect(value).toBeCloseTo(expected[m]!, 5);
    });
    expect(batch.targets[1]).toBe(2);
  });
});
