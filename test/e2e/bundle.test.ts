import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRecording } from "../../src/streams/record/recording-writer.ts";

const root: string = fileURLToPath(new URL("../..", import.meta.url));
const bundle: string = join(root, "dist/bundle");

describe("the built program", () => {
  it("loads bundles alone, in its threads too, and packages with files beside them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "polyphase-short-"));
    for (const name of ["a", "b"]) await writeShortRecording(join(folder, `${name}.mcap`));
    const options = ["--parallel", "2", "--encoder", "typescript", "--json"];
    const loaded = filesLoadedBy("replay", folder, "--model", "grid", ...options);
    rmSync(folder, { recursive: true });
    const entries = ["dist/cli/main.js", "dist/cli/replay/parallel/segment-worker.js"];
    expect(loaded).toEqual(expect.arrayContaining(entries));
    const others = loaded.filter((path) => {
      return !path.startsWith("dist/bundle/") && !path.startsWith("node_modules/@foxglove/");
    });
    expect(others.sort()).toEqual(entries);
  });

  it("loads nothing of the other commands", () => {
    const loaded = filesLoadedBy("replay", "--help").map((path) => path.replace(/-\w+\.js$/, ""));
    expect(loaded).toContain("dist/bundle/replay");
    for (const other of ["run", "train", "events", "demo"]) {
      expect(loaded).not.toContain(`dist/bundle/${other}`);
    }
  });

  it("leads from a bundle to the sources", () => {
    const { sources } = JSON.parse(readFileSync(join(bundle, "cli-main.js.map"), "utf8"));
    expect(sources).toContain("../../src/cli/main.ts");
  });

  it("has the licence of each package in it", () => {
    const notices = readFileSync(join(bundle, "THIRD-PARTY.txt"), "utf8");
    const bundled = readdirSync(bundle)
      .filter((name) => name.endsWith(".js"))
      .flatMap((name) => {
        const text = readFileSync(join(bundle, name), "utf8");
        return [...text.matchAll(/^\/\/ node_modules\/((?:@[\w-]+\/)?[\w-]+)\//gm)];
      })
      .map(([, name]) => name);
    expect(bundled).toContain("rxjs");
    for (const name of new Set(bundled)) expect(notices).toMatch(new RegExp(`^${name} \\d`, "m"));
  });
});

async function writeShortRecording(path: string): Promise<void> {
  const recording = await createRecording(path);
  const features = { convention: "mfcc39/psf-hamming/v1", values: new Float32Array(39) };
  for (let seq = 0; seq < 10; seq++) {
    const timeUs = seq * 10_000;
    const event = { kind: "audio", stream: "s", sensor: "audio", timeUs, seq } as const;
    await recording.write({ ...event, ...features, availableUs: timeUs }, timeUs);
  }
  await recording.close();
}

/** Files that a command loads, in all its threads, from the root of the repository. */
function filesLoadedBy(...args: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "polyphase-loaded-"));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    const command = ["dist/cli/main.js", ...args];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: root, env });
    expect(`${status} ${stderr}`).toMatch(/^0 /);
    const urls = readdirSync(folder).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(folder, name), "utf8"));
      return (result as { readonly url: string }[]).map(({ url }) => url);
    });
    const own = urls.filter((url) => url.startsWith("file:"));
    return [...new Set(own.map((url) => relative(root, fileURLToPath(url))))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
