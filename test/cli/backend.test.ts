import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

function backend(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ["dist/cli/main.js", "backend", ...args];
  const env = { ...process.env, POLYPHASE_BACKEND: "auto" };
  return spawnSync(process.execPath, command, { encoding: "utf8", env });
}

describe("polyphase backend", { timeout: 30_000 }, () => {
  it("ls says of each backend whether it works, takes one, and says what is missing", () => {
    const { status, stdout } = backend("ls", "--json");
    expect(status).toBe(0);
    const reports: { name: string; usable: boolean; taken: boolean; detail: string }[] =
      JSON.parse(stdout);
    expect(reports.map(({ name }) => name)).toEqual(["tensorflow", "wasm", "cpu"]);
    expect(reports.filter(({ taken }) => taken)).toEqual([reports.find(({ usable }) => usable)]);
    expect(reports[1]!.usable && reports[2]!.usable).toBe(true);
    if (!reports[0]!.usable) expect(reports[0]!.detail).toMatch(/npm install|backend install|load/);
  });
  it("install says what it needs", () => {
    const { status, stderr } = backend("install");
    expect([status, stderr]).toEqual([
      64,
      expect.stringContaining("--wheel FILE or --from-url URL"),
    ]);
  });
});
