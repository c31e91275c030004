import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { tinyDetector } from "../backends/tiny-detector.ts";

const scene = "fixtures/scenes/clean-159.mcap";
const slow = 60_000;
const folder = mkdtempSync(join(tmpdir(), "polyphase-without-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The built program where the optional package is not installed. */
function polyphase(...args: readonly string[]): {
  status: number | null;
  out: string;
  err: string;
} {
  const away = new URL("./without-onnxruntime.mjs", import.meta.url).href;
  const node = ["--import", away, "dist/cli/main.js", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

describe("without onnxruntime", () => {
  it(
    "frames go through the TypeScript encoder, and it is said",
    () => {
      const { status, out, err } = polyphase("replay", scene, "--json");
      expect(err).toContain("TypeScript encoder: Cannot load onnxruntime: Cannot find package");
      expect(status).toBe(0);
      const chosen = polyphase("replay", scene, "--json", "--encoder", "typescript");
      expect(JSON.parse(out).digest).toBe(JSON.parse(chosen.out).digest);
    },
    slow,
  );

  it(
    "what needs it fails in one line that says how to install it",
    () => {
      const detector = join(folder, "face.onnx");
      writeFileSync(detector, tinyDetector("ssd"));
      const crop = ["--crop", "detector", "--detector", detector];
      for (const needs of [["--encoder", "onnx"], crop]) {
        const { status, out, err } = polyphase("replay", scene, ...needs);
        expect(err.trimEnd().split("\n").at(-1)).toMatch(
          /Cannot load onnxruntime: .*npm install onnxruntime-node/,
        );
        expect(err).not.toContain(" at ");
        expect([status, out]).toEqual([69, ""]);
      }
    },
    slow,
  );
});
