import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNmnistEncoder } from "../../../src/sensors/dvs/codecs/nmnist.ts";
import { createDvsPacket } from "../../../src/sensors/dvs/dvs-packet.ts";
import { Random } from "../../../src/sensors/random.ts";
import { FastSaccades } from "../../../src/train/datasets/fast-saccades.ts";
import { imageView, readMnistImages } from "../../../src/train/datasets/mnist-images.ts";
import { readNmnistRecordings } from "../../../src/train/datasets/nmnist-recordings.ts";
import { addressOf, isOn, timeOf } from "../../../src/train/datasets/packed-recording.ts";
import { drawSaccadeVariation } from "../../../src/train/datasets/saccade-variation.ts";

const data = process.env["POLYPHASE_DATA"] ?? "../shared/data";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-nmnist-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** A recording of three events. */
function recordingBytes(): Uint8Array {
  const packet = createDvsPacket(34, 34, 3);
  packet.timeUs.set([5, 700, 300_000]);
  packet.x.set([33, 0, 7]);
  packet.y.set([0, 33, 8]);
  packet.on.set([1, 0, 1]);
  return createNmnistEncoder().encode(packet);
}

/** A tar archive of one file. */
function tarOf(name: string, bytes: Uint8Array): Uint8Array {
  const archive = new Uint8Array(512 + 512 + 1024);
  const text = (value: string, at: number): void => archive.set(Buffer.from(value), at);
  text(name, 0);
  text(`${bytes.length.toString(8).padStart(11, "0")} `, 124);
  text("0", 156);
  archive.set(bytes, 512);
  return archive;
}

describe("readNmnistRecordings", () => {
  it("reads loose recordings and those of an archive, in order of samples, with their classes", async () => {
    await writeFile(join(directory, "10.bs2"), recordingBytes());
    await writeFile(join(directory, "more.tar.gz"), gzipSync(tarOf("./2.bs2", recordingBytes())));
    await writeFile(join(directory, "classes.txt"), "#sample #class\n2\t7\n10\t3\n11\t1\n");
    const recordings = await readNmnistRecordings(directory);
    expect(recordings.map(({ sample, label }) => [sample, label])).toEqual([
      [2, 7],
      [10, 3],
    ]);
    const events = Array.from(recordings[0]!.events);
    expect(events.map(timeOf)).toEqual([5, 700, 300_000]);
    expect(events.map(addressOf)).toEqual([33, 33 * 34, 8 * 34 + 7]);
    expect(events.map(isOn)).toEqual([1, 0, 1]);
  });
  it("refuses a recording that is not of the format, naming it", async () => {
    await writeFile(join(directory, "1.bs2"), Uint8Array.of(200, 1, 0, 0, 0));
    await writeFile(join(directory, "classes.txt"), "1 5\n");
    await expect(readNmnistRecordings(directory)).rejects.toThrow(/1\.bs2.*x-out-of-range/);
  });
  it("refuses a class that is none, with file and line", async () => {
    await writeFile(join(directory, "classes.txt"), "1 5\n2 ten\n");
    await expect(readNmnistRecordings(directory)).rejects.toThrow("classes.txt:2 must be");
  });
  it("refuses a folder without recordings, and one that is not there", async () => {
    await expect(readNmnistRecordings(directory)).rejects.toThrow("must hold recordings K.bs2");
    await expect(readNmnistRecordings(join(directory, "no"))).rejects.toThrow("no folder");
  });
});

describe("readMnistImages", () => {
  it("reads images and classes from gzipped IDX files", async () => {
    const images = new Uint8Array(16 + 2 * 784).fill(9, 16 + 784);
    images.set([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]);
    const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 4, 6);
    await writeFile(join(directory, "train-images-idx3-ubyte.gz"), gzipSync(images));
    await writeFile(join(directory, "train-labels-idx1-ubyte.gz"), gzipSync(labels));
    const mnist = await readMnistImages(directory, "train");
    expect([mnist.count, ...mnist.labels]).toEqual([2, 4, 6]);
    expect(Array.from(imageView(mnist, 1))).toEqual(new Array(784).fill(9));
  });
  it("refuses another file under the name", async () => {
    await mkdir(join(directory, "mnist"));
    const path = join(directory, "train-images-idx3-ubyte.gz");
    await writeFile(path, gzipSync(new Uint8Array(32)));
    await expect(readMnistImages(directory, "train")).rejects.toThrow(
      /idx3-ubyte\.gz.*must be 0 0 8/,
    );
  });
});

describe("FastSaccades", () => {
  const digit = new Uint8Array(784);
  for (let row = 4; row < 24; row++) digit.fill(255, row * 28 + 12, row * 28 + 16);

  it("gives events of both polarities in time order, the same for the same seed", () => {
    const simulate = (seed: number): Uint32Array => {
      const random = new Random(seed);
      return new FastSaccades().simulate(digit, drawSaccadeVariation(random, 0.35), random);
    };
    const events = Array.from(simulate(1));
    expect(events.length).toBeGreaterThan(1_000);
    expect(events.map(timeOf)).toEqual(events.map(timeOf).sort((a, b) => a - b));
    const on = events.filter((event) => isOn(event) === 1).length / events.length;
    expect(on).toBeGreaterThan(0.3);
    expect(on).toBeLessThan(0.7);
    expect(simulate(1)).toEqual(Uint32Array.from(events));
    expect(simulate(2)).not.toEqual(Uint32Array.from(events));
  });
  it("gives, bit for bit, the recordings that published models were trained on", () => {
    const simulator = new FastSaccades();
    const digest = createHash("sha256");
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const variation = drawSaccadeVariation(random, seed % 2 === 0 ? 0.8 : 0.35);
      digest.update(simulator.simulate(digit, variation, random));
    }
    expect(digest.digest("hex")).toBe(
      "5c5f5eb10b560ec61e5567b1b048a8ebde2cc9089a44b6ccb5c740be7713b1ec",
    );
  });

  it.skipIf(!existsSync(join(data, "nmnist")))(
    "puts events where the real recordings of the same images have them (correlation ≥ 0.85)",
    async () => {
      const recordings = (await readNmnistRecordings(join(data, "nmnist"))).slice(0, 20);
      const mnist = await readMnistImages(join(data, "mnist"), "train");
      const correlations = recordings.map(({ sample, events }) => {
        const random = new Random(sample);
        const variation = drawSaccadeVariation(random, 0);
        const image = imageView(mnist, sample - 1);
        const simulated = new FastSaccades().simulate(image, variation, random);
        return correlation(countMap(events), countMap(simulated));
      });
      const mean = correlations.reduce((sum, value) => sum + value, 0) / correlations.length;
      expect(mean).toBeGreaterThan(0.85);
    },
    20_000,
  );
});

/** Events per pixel, saccade and polarity. */
function countMap(events: Uint32Array): Float64Array {
  const counts = new Float64Array(34 * 34 * 6);
  for (const event of events) {
    const saccade = Math.min(2, Math.floor(timeOf(event) / 105_000));
    counts[addressOf(event) * 6 + saccade * 2 + isOn(event)]! += 1;
  }
  return counts;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += (value - meanA) * (b[i]! - meanB);
    aa += (value - meanA) ** 2;
    bb += (b[i]! - meanB) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}
