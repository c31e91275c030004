import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNmnistRecordings } from "../../src/train/datasets/nmnist-recordings.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-simulate-"));
  const images = new Uint8Array(16 + 3 * 784);
  images.set([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28]);
  for (let image = 0; image < 3; image++) {
    for (let row = 4; row < 24; row++) {
      const at = 16 + image * 784 + row * 28 + 8 + 4 * image;
      images.fill(255, at, at + 4);
    }
  }
  await writeFile(join(directory, "train-images-idx3-ubyte.gz"), gzipSync(images));
  await writeFile(
    join(directory, "train-labels-idx1-ubyte"),
    Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 4, 6, 9),
  );
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function simulate(...args: string[]): { status: number | null; stderr: string } {
  const command = ["dist/cli/main.js", "simulate", "saccades", directory, ...args];
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { status, stderr };
}

describe("polyphase simulate saccades", { timeout: 30_000 }, () => {
  it("writes a folder that training reads as N-MNIST, the same bytes for the same image and seed", async () => {
    const [all, one] = [join(directory, "all"), join(directory, "one")];
    expect(simulate("--out", all, "--count", "3").status).toBe(0);
    const recordings = await readNmnistRecordings(all);
    expect(recordings.map(({ sample, label }) => [sample, label])).toEqual([
      [1, 4],
      [2, 6],
      [3, 9],
    ]);
    for (const { events } of recordings) expect(events.length).toBeGreaterThan(1_000);
    expect(simulate("--out", one, "--first", "2", "--count", "1").status).toBe(0);
    expect(await readFile(join(one, "2.bs2"))).toEqual(await readFile(join(all, "2.bs2")));
    simulate("--out", one, "--first", "2", "--count", "1", "--seed", "2");
    expect(await readFile(join(one, "2.bs2"))).not.toEqual(await readFile(join(all, "2.bs2")));
  });
  it("writes MCAP, and refuses images that are not there", async () => {
    const out = join(directory, "mcap");
    expect(simulate("--out", out, "--count", "1", "--to", "mcap").status).toBe(0);
    expect(await readdir(out)).toEqual(["1.mcap", "classes.txt"]);
    const { status, stderr } = simulate("--out", out, "--first", "3", "--count", "2");
    expect([status, stderr]).toEqual([64, expect.stringContaining("one of the 3 images of train")]);
  });
});
