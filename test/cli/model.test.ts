import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-model-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function model(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ["dist/cli/main.js", "model", ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8" });
}

describe("polyphase model", { timeout: 30_000 }, () => {
  it("info says how a shipped model was trained and what its gates are", () => {
    const { status, stdout } = model("info", "frequency", "--json");
    expect(status).toBe(0);
    const info = JSON.parse(stdout);
    expect(info).toMatchObject({ name: "frequency", trained: true, provenance: { seed: 1 } });
    expect(info.layers[0]).toMatchObject({ units: 110, gate: "phase" });
    expect(info.layers[0].gates.meanOpenRatio).toBeCloseTo(0.05, 5);
  });
  it("export writes layers and the video encoder as models that onnxruntime loads", async () => {
    const { status, stdout } = model("export", "grid", "--out", directory);
    expect(status).toBe(0);
    const files = stdout.trim().split("\n");
    expect(files).toContain(join(directory, "video.onnx"));
    for (const file of files) {
      const session = await InferenceSession.create(await readFile(file));
      expect(session.inputNames.length).toBeGreaterThan(0);
    }
  });
  it("says so if there is no such model", () => {
    const { status, stderr } = model("info", "weather");
    expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining("weather")]);
    expect(status).not.toBe(0);
  });
});
