import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("the README's program runs as it stands", async () => {
  const [, program] = /```ts\n(.*?)```/s.exec(readFileSync(`${root}README.md`, "utf8"))!;
  const args = ["--input-type=module", "--eval", program!];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const predictions = stdout.trimEnd().split("\n");
  expect(JSON.parse(predictions.at(-1)!)).toMatchObject({ head: "digit", role: "on-change" });
  expect(stderr).toMatch(/^\d+ events fused, dropped \{ 'unknown-sensor': \d+ \}/);
});
