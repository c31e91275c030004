import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/sensors/random.ts";
import { polyphase, startPolyphase } from "./cli.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "polyphase-record-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const scene = "fixtures/scenes/clean-159.mcap";
const recorded = join(scratch, "a.mcap");
const golden = join(scratch, "golden.ndjson");
const fast = ["--encoder", "typescript"];
const slow = 240_000;
let lines: readonly string[] = [];

beforeAll(async () => {
  const args = ["replay", scene, "--record", recorded, "--keyframe-every", "100ms"];
  const { status } = await polyphase(...args, "--out", golden, ...fast);
  expect(status).toBe(0);
  lines = readFileSync(golden, "utf8").trimEnd().split("\n");
}, slow);

function timeOf(line: string): number {
  return JSON.parse(line).timeUs;
}

/** Starts a command and gives what it has printed so far. */
function start(...args: readonly string[]) {
  return watch(spawn(process.execPath, ["dist/cli/main.js", ...args], { cwd: root }));
}

/** Starts a command on a terminal of its own; what is written to it are its keys. */
function startOnTerminal(...args: readonly string[]) {
  const command = [process.execPath, "dist/cli/main.js", ...args].join(" ");
  return watch(spawn("script", ["-qec", command, "/dev/null"], { cwd: root }));
}

function watch(child: ChildProcessWithoutNullStreams) {
  /** `at`: how much had come when. */
  const printed = { out: "", err: "", at: [] as { at: number; length: number }[] };
  child.stdout.on("data", (bytes: Buffer) => {
    printed.out += bytes.toString("utf8");
    printed.at.push({ at: performance.now(), length: printed.out.length });
  });
  child.stderr.on("data", (bytes: Buffer) => {
    printed.err += bytes.toString("utf8");
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  return { child, printed, ended };
}

describe("polyphase replay --record", () => {
  it(
    "completes its recording when the reader of its predictions has gone away",
    async () => {
      const path = join(scratch, "unread.mcap");
      const args = ["replay", scene, "--record", path, "--ndjson", "--encoder", "onnx"];
      const { ended, closeStdout } = startPolyphase(...args);
      closeStdout();
      const { status, stderr } = await ended;
      expect(stderr).not.toContain("EPIPE");
      expect(status).toBe(141);
      const info = await polyphase("info", path);
      expect(info.status).toBe(0);
      expect(info.stderr).toBe("");
    },
    slow,
  );

  it(
    "loses at most a second to kill -9, and what is left is replayed as far as it goes",
    async () => {
      const random = new Random(29);
      let shortest = lines.length;
      for (let run = 0; run < 2; run++) {
        const path = join(scratch, `killed-${run}.mcap`);
        const args = ["--record", path, "--rate", "1", "--ndjson", "--keyframe-every", "300ms"];
        const { child, printed, ended } = start("replay", scene, ...fast, ...args);
        // What is older than a second must be there; the moment is any.
        const hasOld = (): boolean => timeOf(printed.out.split("\n").at(-2) ?? "{}") > 1.1e6;
        await expect.poll(hasOld, { timeout: slow }).toBe(true);
        await delay(random.below(1000));
        const killedAt = performance.now();
        child.kill("SIGKILL");
        await ended;
        const before = printed.at.findLast(({ at }) => at < killedAt - 1000)!;
        const durable = printed.out.slice(0, before.length).split("\n").slice(0, -1);
        const { status, stdout, stderr } = await polyphase("replay", path, ...fast, "--ndjson");
        expect(status).toBe(0);
        expect(stderr).toContain(`${path} was not completed`);
        const replayed = stdout.split("\n").slice(0, -1);
        expect(replayed).toEqual(lines.slice(0, replayed.length));
        expect(replayed.length).toBeGreaterThanOrEqual(durable.length);
        shortest = Math.min(shortest, replayed.length);
      }
      expect(shortest).toBeGreaterThan(0);
      expect(shortest).toBeLessThan(lines.length);
    },
    slow,
  );

  it(
    "writes parts that are one run, and a ring when it is told to",
    async () => {
      const parts = join(scratch, "parts");
      const rotated = await polyphase(
        ...["replay", scene, ...fast, "--record", parts, "--rotate-every", "1s"],
        ...["--assert", golden],
      );
      expect(rotated.status).toBe(0);
      expect(readdirSync(parts)).toEqual([1, 2, 3, 4].map((n) => `clean-159-000${n}.mcap`));
      const again = await polyphase("replay", parts, ...fast, "--assert", golden);
      expect([again.status, again.stderr]).toEqual([0, expect.not.stringContaining("golden")]);

      const ring = join(scratch, "ring");
      const { child, printed, ended } = start(
        ...["replay", scene, ...fast, "--record", ring, "--ring", "1s"],
        ...["--keyframe-every", "200ms", "--rate", "1", "--ndjson"],
      );
      await expect.poll(() => printed.out.split("\n").length > 60, { timeout: slow }).toBe(true);
      child.kill("SIGUSR2");
      await ended;
      const path = join(ring, "clean-159-0001.mcap");
      expect(printed.err).toContain(`wrote ${path}`);
      const { stdout } = await polyphase("replay", path, ...fast, "--ndjson");
      const dumped = stdout.trimEnd().split("\n");
      const at = lines.indexOf(dumped[0]!);
      expect(at).toBeGreaterThan(0);
      expect(dumped).toEqual(lines.slice(at, at + dumped.length));
    },
    slow,
  );

  it("refuses to overwrite, and one file for two recordings", async () => {
    const again = await polyphase("replay", scene, ...fast, "--record", recorded, "--json");
    expect([again.status, again.stdout]).toEqual([1, ""]);
    expect(again.stderr).toContain(`Cannot write recording ${recorded}: there is a file already`);
    const two = await polyphase("replay", scene, scene, "--record", join(scratch, "two.mcap"));
    expect(two.status).toBe(64);
    expect(existsSync(join(scratch, "two.mcap"))).toBe(false);
  });
});

describe("polyphase replay of a recorded run", () => {
  it(
    "begins at the nearest state and says what was said in the window, and no more",
    async () => {
      const firstUs = 1001;
      const inWindow = lines.filter((line) => {
        return timeOf(line) >= firstUs + 1.2e6 && timeOf(line) < firstUs + 2.1e6;
      });
      const args = ["--start", "1.2", "--end", "2.1", "--ndjson", ...fast];
      const [log, plain] = await Promise.all([
        polyphase("replay", recorded, ...args),
        polyphase("replay", scene, ...args),
      ]);
      expect(log.stdout.trimEnd().split("\n")).toEqual(inWindow);
      expect(plain.stdout).toBe(log.stdout);
      expect(plain.stderr).toContain("has no keyframes");
      expect(log.stderr).not.toContain("keyframe");
      const other = await polyphase("replay", recorded, ...args, "--seed", "2");
      expect(other.stderr).toMatch(/from the beginning without a word: its keyframes are of model/);
      expect(other.stdout).not.toBe(log.stdout);
    },
    slow,
  );

  it(
    "finds the segment whose state another encoder changes, and the first word that is another",
    async () => {
      const args = ["--encoder", "onnx", "--parallel", "2", "--ndjson"];
      const other = await polyphase("replay", recorded, ...args);
      expect(other.status).toBe(1);
      const [, timeUs] =
        /Segment 1 of 31 of \S+a\.mcap does not end in the recorded state: stream clean-159 at (\d+) µs must be [0-9a-f]{64}, got [0-9a-f]{64}/.exec(
          other.stderr,
        ) ?? [];
      // Though a thread replays several segments in a row: nothing is said behind the first such state.
      const said = other.stdout.trimEnd().split("\n");
      expect(said.length).toBe(lines.filter((line) => timeOf(line) < Number(timeUs)).length);
      const spoilt = join(scratch, "spoilt.ndjson");
      const changed = lines.map((line, i) => {
        return i === 7 ? JSON.stringify({ ...JSON.parse(line), tick: -1 }) : line;
      });
      writeFileSync(spoilt, `${changed.join("\n")}\n`);
      const assert = await polyphase("replay", recorded, ...fast, "--assert", spoilt);
      const { tick } = JSON.parse(lines[7]!);
      expect(assert.status).toBe(1);
      expect(assert.stderr).toContain(`${spoilt}: line 8 tick must be -1, got ${tick}`);
      writeFileSync(spoilt, `${[...lines, lines[0]].join("\n")}\n`);
      const short = await polyphase("replay", recorded, ...fast, "--assert", spoilt);
      expect(short.stderr).toContain(`line ${lines.length + 1} must be {"stream"`);
    },
    slow,
  );

  it(
    "records a run of two streams, whose replays say what each of them said",
    async () => {
      const [both, log, said] = ["both.mcap", "both-log.mcap", "both.ndjson"].map((name) => {
        return join(scratch, name);
      }) as [string, string, string];
      await polyphase("merge", scene, "fixtures/scenes/clean-307.mcap", "-o", both);
      const record = ["--record", log, "--keyframe-every", "500ms", "--out", said];
      const run = await polyphase("replay", both, ...fast, ...record, "--json");
      const { digest, stateHash } = JSON.parse(run.stdout);
      for (const how of [[], ["--parallel", "2"], ["--by", "sensor"]]) {
        const replay = await polyphase("replay", log, ...fast, ...how, "--assert", said, "--json");
        expect([replay.status, replay.stderr]).toEqual([0, expect.not.stringContaining("are not")]);
        expect(JSON.parse(replay.stdout)).toMatchObject({ digest, stateHash });
      }
    },
    slow,
  );

  it(
    "replays logs from their keyframes and plain recordings as a whole in threads: the same words",
    async () => {
      const paths = [scene, recorded, "fixtures/scenes/clean-307.mcap"];
      const late = ["--late", "drop", "--lateness", "5"];
      const replays: readonly (readonly string[])[] = [
        paths,
        [...paths, "--parallel", "2"],
        [paths[0]!, paths[2]!, ...late],
        [paths[0]!, paths[2]!, ...late, "--parallel", "3"],
      ];
      const summaries = [];
      for (const args of replays) {
        const { stdout } = await polyphase("replay", ...args, ...fast, "--json");
        const { wallSeconds, realTimeFactor, ...summary } = JSON.parse(stdout);
        summaries.push(summary);
      }
      expect(summaries[1]).toEqual(summaries[0]);
      expect(summaries[3]).toEqual(summaries[2]);
      expect(summaries[2].recordings).toEqual([paths[0], paths[2]]);
    },
    slow,
  );

  it(
    "reads only the sensors that are wanted, as often as is wanted",
    async () => {
      const args = [...fast, "--sensors", "audio", "--json"];
      const [log, plain] = await Promise.all([
        polyphase("replay", recorded, ...args),
        polyphase("replay", scene, ...args, "--by", "log"),
      ]);
      const { digest, eventsPerSensor, dropped, predictions } = JSON.parse(log.stdout);
      expect(eventsPerSensor).toEqual({ audio: 310, video: 0, dvs: 0 });
      expect(dropped).toEqual({});
      expect(JSON.parse(plain.stdout).digest).toBe(digest);
      const twice = await polyphase("replay", recorded, ...args, "--loop", "2");
      expect(JSON.parse(twice.stdout).predictions).toBe(2 * predictions);
      const none = await polyphase("replay", recorded, ...fast, "--sensors", "smell");
      expect(none.status).toBe(64);
      expect(none.stderr).toContain(
        'Cannot replay sensor "smell": the model has audio, video, dvs',
      );
    },
    slow,
  );

  it.skipIf(spawnSync("script", ["--version"]).status !== 0)(
    "goes by ticks and on by the keys of a terminal, and gives the terminal back",
    async () => {
      const { child, printed, ended } = startOnTerminal(
        ...["replay", recorded, ...fast, "--start-paused", "--ndjson"],
      );
      const said = (): readonly string[] => printed.out.match(/\{"stream".*\}/g) ?? [];
      // The keys are heard when the terminal does not echo them any more.
      await expect.poll(() => printed.out.includes("untrained"), { timeout: slow }).toBe(true);
      await delay(1500);
      expect(child.exitCode).toBeNull();
      expect(said()).toEqual([]);
      for (let n = 0; n < 200 && said().length === 0; n++) {
        child.stdin.write("\u001b[C");
        await delay(100);
      }
      expect(said()).toEqual(lines.slice(0, 1));
      // A key that is held comes several times at once.
      child.stdin.write("\u001b[C".repeat(3));
      child.stdin.write(" ");
      await ended;
      expect(said()).toEqual(lines);
    },
    slow,
  );

  it("refuses what cannot be done together", async () => {
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ["--start-paused needs a terminal", [recorded, "--start-paused"]],
      [
        "a budget is held from the beginning on",
        [scene, "--parallel", "2", "--budget", "1ms/s", "--govern", "merge-1"],
      ],
      ["leave out --start", [recorded, "--parallel", "2", "--start", "1"]],
      ["leave out --late", [recorded, "--parallel", "2", "--late", "drop"]],
      ["leave out --loop", [scene, "--loop", "2", "--record", join(scratch, "l.mcap")]],
      ["must be seconds from the start", [scene, "--start", "yesterday"]],
      ["must be max or a number > 0", [scene, "--rate", "0"]],
      ["must be a time > 0", [scene, "--ring", "1w", "--record", scratch]],
    ];
    const results = await Promise.all(
      cases.map(([, args]) => polyphase("replay", ...args, ...fast)),
    );
    results.forEach(({ status, stderr }, i) => {
      expect(stderr).toContain(cases[i]![0]);
      expect(status).toBe(64);
    });
  });
});
