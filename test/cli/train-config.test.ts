import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfigFile } from "../../src/cli/read-config-file.ts";
import { trainConfigSchema } from "../../src/cli/train/train-config-schema.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-train-config-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function train(...args: string[]) {
  return spawnSync(process.execPath, ["dist/cli/main.js", "train", ...args], { encoding: "utf8" });
}

describe("polyphase train with a file", { timeout: 30_000 }, () => {
  it("trains as the file says, but for what the command line says", async () => {
    const file = join(directory, "parity.yaml");
    await writeFile(
      file,
      `task: parity
out: ${join(directory, "unused")}
seed: 3
batches: 900
rate: 0.01
reportEvery: 10
optimizer: { name: rmsprop, squareDecay: 0.9 }
warmupBatches: 20
clipValue: 0.5
`,
    );
    const out = join(directory, "run");
    const { status, stdout, stderr } = train(file, "--out", out, "--batches", "40");
    expect([status, stderr]).toEqual([0, expect.not.stringContaining("Cannot")]);
    expect(JSON.parse(stdout)).toMatchObject({ task: "parity", seed: 3, batches: 40 });
    const lines = (await readFile(join(out, "train.jsonl"), "utf8")).trim().split("\n");
    const reports = lines.map((line) => JSON.parse(line));
    expect(reports.map(({ batch }) => batch)).toEqual([10, 20, 30, 40]);
    expect(reports[0].rate).toBeCloseTo(0.005, 9);
    const model = JSON.parse(await readFile(join(out, "model", "graph.json"), "utf8"));
    const options = JSON.parse(model.provenance.options);
    expect(options.optimizer).toMatchObject({ name: "rmsprop", squareDecay: 0.9 });
    expect(options.clipping).toEqual({ normMax: 1, valueMax: 0.5 });
  });
  it("names every wrong line of the file, and trains nothing", async () => {
    const file = join(directory, "wrong.yaml");
    await writeFile(file, "task: frequence\nbatches: 0\noptimiser: sgd\n");
    const { status, stderr } = train(file, "--out", join(directory, "none"));
    expect(status).toBe(78);
    expect(stderr).toContain(`${file}:1:1: task: `);
    expect(stderr).toContain(`${file}:2:1: batches: `);
    expect(stderr).toContain(`${file}:3:1: optimiser: `);
  });
  it("refuses a run that has nowhere to go", () => {
    const { status, stderr } = train("parity");
    expect([status, stderr]).toEqual([64, expect.stringContaining("--out must name a folder")]);
    const nowhere = train("parity", "--out", "package.json/run");
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr).toMatch(/^polyphase: Cannot make run directory: ENOTDIR.*\[FAILED\]\n$/);
  });
  it("ships an example that says what the task does anyway", async () => {
    const { value } = await readConfigFile(
      "deploy/examples/training/frequency.yaml",
      trainConfigSchema,
    );
    expect(value).toMatchObject({ task: "frequency", batches: 20_000, rate: 0.005 });
  });
});
