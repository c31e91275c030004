import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { presetModel } from "../../src/cli/load-model.ts";
import { writeModelDirectory } from "../../src/state/model-directory.ts";
import { createRecording } from "../../src/streams/record/recording-writer.ts";
import { polyphase } from "./cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "polyphase-e2e-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const scene = "fixtures/scenes/clean-159.mcap";
const slow = 240_000;

describe("polyphase replay", () => {
  it(
    "--json prints one summary object and nothing else, the same at every run",
    async () => {
      const first = await polyphase("replay", scene, "--json");
      const second = await polyphase("replay", scene, "--json");
      expect(first.status).toBe(0);
      const summary = JSON.parse(first.stdout);
      expect(Object.keys(summary)).toEqual(
        expect.arrayContaining([
          ...["model", "events", "ticks", "predictions", "openFraction", "unitUpdates"],
          ...["digest", "stateHash", "wallSeconds", "realTimeFactor"],
        ]),
      );
      expect(summary.events).toBeGreaterThan(10_000);
      expect(summary.dropped).toEqual({});
      expect(summary.openFraction).toBeGreaterThan(0.03);
      expect(summary.openFraction).toBeLessThan(0.1);
      const again = JSON.parse(second.stdout);
      expect([again.digest, again.stateHash]).toEqual([summary.digest, summary.stateHash]);
    },
    slow,
  );

  it(
    "gives the same state and predictions densely, in TypeScript, and by sensor time",
    async () => {
      const runs = await Promise.all(
        [[], ["--dense"], ["--kernel", "sparse-f32"], ["--by", "sensor"]].map(async (more) => {
          const args = ["replay", scene, "--json", "--encoder", "typescript", ...more];
          const { stdout } = await polyphase(...args);
          const { digest, stateHash } = JSON.parse(stdout);
          return { digest, stateHash };
        }),
      );
      for (const run of runs.slice(1)) expect(run).toEqual(runs[0]);
    },
    slow,
  );

  it(
    "--budget decides, computes and predicts the same at every run, and densely",
    async () => {
      const budget = ["--budget", "4ms/s", "--govern", "merge-1", "--govern", "merge-2=0.5"];
      const runs = await Promise.all(
        [[], ["--dense"]].map(async (more, i) => {
          const out = join(scratch, `decisions-${i}.ndjson`);
          const args = ["replay", scene, "--json", ...budget, "--decisions", out, ...more];
          const { stdout } = await polyphase(...args);
          const { digest, stateHash, governor } = JSON.parse(stdout);
          return { digest, stateHash, governor, decisions: readFileSync(out, "utf8") };
        }),
      );
      expect(runs[1]).toEqual(runs[0]);
      const { governor, decisions } = runs[0]!;
      expect(decisions.trim().split("\n").length).toBe(governor.decisions);
      expect(governor.openScale["merge-1"]).toBe(0.25);
      expect(governor.openScale["merge-2"]).toBe(0.5);
      expect(JSON.parse(decisions.split("\n")[0]!)).toMatchObject({
        kind: "governor",
        stream: "clean-159",
        budgetUs: 4000,
      });
    },
    slow,
  );

  it(
    "repeats a recorded run under its own --budget only, also from a state in the middle",
    async () => {
      const budget = ["--budget", "4ms/s", "--govern", "merge-2=0.5", "--govern", "merge-1"];
      const recorded = join(scratch, "governed.mcap");
      const keep = ["--record", recorded, "--keyframe-every", "500ms"];
      const ran = await polyphase("replay", scene, "--ndjson", ...budget, ...keep);
      const again = await polyphase("replay", recorded, "--ndjson", ...budget);
      expect(again.stdout).toBe(ran.stdout);
      const late = await polyphase("replay", recorded, "--ndjson", ...budget, "--start", "2");
      const lines = late.stdout.split("\n");
      expect(lines.length).toBeGreaterThan(5);
      expect(ran.stdout.split("\n").slice(-lines.length)).toEqual(lines);
      const without = await polyphase("replay", recorded, "--ndjson");
      expect(without.status).toBe(64);
      expect(without.stderr).toContain(
        "it ran with --budget 4000us/s --govern merge-1=0.25 --govern merge-2=0.5, asked for is no",
      );
    },
    slow,
  );

  it(
    "writes the predictions whose digest it tells",
    async () => {
      const out = join(scratch, "predictions.ndjson");
      const { stdout } = await polyphase("replay", scene, "--out", out);
      const lines = readFileSync(out, "utf8");
      const digest = createHash("sha256").update(lines).digest("hex");
      expect(stdout.trimEnd().split("\n").at(-1)).toBe(`digest ${digest}`);
      for (const line of lines.trimEnd().split("\n")) {
        expect(JSON.parse(line)).toMatchObject({ stream: "clean-159", head: "digit" });
      }
    },
    slow,
  );
});

/** A recording of one item, or of bytes that are none. */
async function recordingOf(
  name: string,
  values: Float32Array,
  convention: string,
): Promise<string> {
  const path = join(scratch, name);
  const recording = await createRecording(path);
  const header = { stream: "s", sensor: "audio", timeUs: 10, seq: 0 };
  await recording.write({ kind: "audio", ...header, convention, availableUs: 20, values }, 20);
  await recording.close();
  return path;
}

function spoilt(name: string, spoil: (bytes: Buffer) => Buffer): string {
  const path = join(scratch, name);
  writeFileSync(path, spoil(readFileSync(scene)));
  return path;
}

describe("bad input", () => {
  it(
    "is refused with what, where and the exit status of its kind, and writes nothing",
    async () => {
      const mfcc = "mfcc39/psf-hamming/v1";
      const emptyModel = mkdtempSync(join(scratch, "model-"));
      const badModel = mkdtempSync(join(scratch, "model-"));
      writeFileSync(join(badModel, "graph.json"), '{"format": "polyphase.graph/v1",\n  "name": }');
      writeFileSync(join(badModel, "weights.safetensors"), "short");
      const short = await recordingOf("short.mcap", new Float32Array(13), mfcc);
      const strange = await recordingOf("strange.mcap", new Float32Array(39), "kaldi/v1");
      const frame = join(scratch, "frame.mcap");
      const recording = await createRecording(frame);
      await recording.write(
        {
          ...{ kind: "video", stream: "s", sensor: "video", timeUs: 10, seq: 0 },
          ...{ width: 32, height: 32, pixels: new Uint8Array(1024) },
        },
        10,
      );
      await recording.close();
      const wrongShapes = mkdtempSync(join(scratch, "model-"));
      await writeModelDirectory(join(wrongShapes, "m"), presetModel("nmnist", 1));
      const graphPath = join(wrongShapes, "m", "graph.json");
      const graph = readFileSync(graphPath, "utf8");
      writeFileSync(graphPath, graph.replace('"units": 110', '"units": 111'));
      const before = readdirSync(scratch);
      const cases: readonly (readonly [number, string, readonly string[]])[] = [
        [65, "Cannot read recording: nowhere.mcap does not exist", ["replay", "nowhere.mcap"]],
        [65, "must start an MCAP", ["replay", "package.json"]],
        [65, "truncated", ["replay", spoilt("cut.mcap", (b) => b.subarray(0, b.length / 2))]],
        [
          65,
          "byte",
          [
            "replay",
            spoilt("flipped.mcap", (b) => Buffer.from(b.map((v, i) => (i === 90_000 ? v ^ 1 : v)))),
          ],
        ],
        [65, "expected 39 values, got 13", ["replay", short, "--model", "grid"]],
        [
          65,
          "expected features mfcc39/psf-hamming/v1, got kaldi/v1",
          ["replay", strange, "--model", "grid"],
        ],
        [65, "expected 48×48 pixels, got 32×32", ["replay", frame, "--model", "grid"]],
        [
          78,
          "weights dvs-lstm.input_weights must have shape [41, 444], got [41, 440]",
          ["replay", scene, "--model", join(wrongShapes, "m")],
        ],
        [78, "graph.json does not exist", ["replay", scene, "--model", emptyModel]],
        [78, "it must be JSON", ["replay", scene, "--model", badModel]],
        [
          78,
          "it must be a directory or one of grid, nmnist, scene",
          ["replay", scene, "--model", "gird"],
        ],
        [64, "unknown option '--modle'", ["replay", scene, "--modle", "grid"]],
        [64, "It must be a whole number from 0", ["replay", scene, "--seed", "x"]],
        [1, "Cannot write", ["replay", scene, "--out", join(scratch, "no", "such", "directory")]],
      ];
      const results = await Promise.all(cases.map(([, , args]) => polyphase(...args)));
      results.forEach(({ status, stderr, stdout }, i) => {
        const [expectedStatus, message, args] = cases[i]!;
        expect(stderr, args.join(" ")).toContain(message);
        expect(status, args.join(" ")).toBe(expectedStatus);
        expect(stderr).not.toContain("    at ");
        expect(stdout).toBe("");
      });
      const written = readdirSync(scratch).filter((name) => !before.includes(name));
      expect(written.sort()).toEqual(["cut.mcap", "flipped.mcap"]);
    },
    slow,
  );

  it(
    "validate says it of every path",
    async () => {
      const good = await polyphase("validate", scene);
      expect(good.status).toBe(0);
      expect(good.stdout).toMatch(/clean-159\.mcap: ok, \d+ items of \d channels/);
      const bad = await polyphase(
        "validate",
        scene,
        spoilt("x.mcap", (b) => b.subarray(0, 999)),
      );
      expect(bad.status).toBe(65);
      expect(bad.stdout).toContain("clean-159.mcap: ok");
      expect(bad.stdout).toContain("truncated");
    },
    slow,
  );
});

describe("polyphase graph", () => {
  it(
    "saves a preset that validates, and is the same model when it is read",
    async () => {
      const directory = join(scratch, "saved");
      const saved = await polyphase("graph", "nmnist", "--save", directory, "--json");
      const read = await polyphase("graph", directory, "--json");
      expect(saved.status).toBe(0);
      expect(JSON.parse(read.stdout).hash).toBe(JSON.parse(saved.stdout).hash);
      expect((await polyphase("validate", directory)).status).toBe(0);
      const again = await polyphase("graph", "nmnist", "--save", directory);
      expect(again.status).toBe(1);
      expect(again.stderr).toContain("Cannot write model");
    },
    slow,
  );

  it(
    "prints the paper's sizes",
    async () => {
      const { stdout } = await polyphase("graph", "grid", "--json");
      const { layers } = JSON.parse(stdout);
      const macs = Object.fromEntries(
        layers.map((layer: { name: string; denseMacs: number }) => [layer.name, layer.denseMacs]),
      );
      expect(macs).toEqual({
        "audio-lstm": 113_400,
        "video-lstm": 76_560,
        "merge-1": 510_000,
        "merge-2": 500_000,
      });
    },
    slow,
  );
});
