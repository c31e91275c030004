import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataDirectory } from "../../src/cli/data-directory.ts";
import type { RunSummary } from "../../src/cli/summarise-run.ts";
import { hasMosquitto, Mosquitto } from "../streams/mqtt/mosquitto.ts";
import { polyphase, startPolyphase } from "./cli.ts";

const slow = 120_000;

/** Sensors are real processes here: a publisher, a broker, and `polyphase run` between two ends. */
describe.skipIf(!hasMosquitto)("a live run over MQTT", () => {
  const scratch = mkdtempSync(join(tmpdir(), "polyphase-live-"));
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await Mosquitto.start();
  });
  afterAll(async () => {
    await broker.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  async function replay(
    recording: string,
    model: string,
    ...more: readonly string[]
  ): Promise<Run> {
    const out = join(scratch, "replay.ndjson");
    const args = ["replay", recording, "--model", model, "--out", out, "--json", ...more];
    const { stdout, stderr, status } = await polyphase(...args);
    expect(status, stderr).toBe(0);
    return { summary: JSON.parse(stdout), predictions: readFileSync(out, "utf8") };
  }

  /** Runs `recording` through the broker, every message up to 15 ms late. */
  async function live(recording: string, model: string, rate: string, lines: number): Promise<Run> {
    const out = join(scratch, "live.ndjson");
    const mqtt = ["--mqtt", broker.url];
    const record = join(scratch, "recorded.mcap");
    rmSync(record, { force: true });
    const keep = ["--record", record, "--keyframe-every", "500ms"];
    const options = ["--lateness", "50", "--idle", "1000", "--out", out, "--json", ...keep];
    const run = startPolyphase("run", ...mqtt, "--model", model, ...options);
    await run.hasSaid("listening to polyphase/sensors");
    const delay = ["--rate", rate, "--delay", "15", "--seed", "3"];
    const published = await polyphase("publish", recording, ...mqtt, ...delay);
    expect(published.status, published.stderr).toBe(0);
    // Heads that speak at the end of a session speak when the run is told to stop.
    for (let i = 0; i < 30 && lineCount(out) < lines; i++) await sleep(100);
    run.kill("SIGTERM");
    const { stdout, stderr, status } = await run.ended;
    expect(status, stderr).toBe(0);
    return { summary: JSON.parse(stdout), predictions: readFileSync(out, "utf8") };
  }

  async function expectLiveEqualsReplay(recording: string, model: string, rate: string) {
    const replayed = await replay(recording, model);
    expect(replayed.summary.predictions).toBeGreaterThan(0);
    const ran = await live(recording, model, rate, replayed.summary.predictions);
    expect(ran.summary.dropped).toEqual({});
    expect(ran.summary.eventsPerSensor).toEqual(replayed.summary.eventsPerSensor);
    expect(ran.predictions).toBe(replayed.predictions);
    expect(ran.summary.stateHash).toBe(replayed.summary.stateHash);
    for (const how of [[], ["--parallel", "2"]]) {
      const again = await replay(join(scratch, "recorded.mcap"), model, ...how);
      expect(again.predictions).toBe(ran.predictions);
      expect(again.summary.stateHash).toBe(ran.summary.stateHash);
    }
  }

  it.each(["1", "max"])(
    "of a scene, disordered within the lateness, is its replay at rate %s",
    (rate) => expectLiveEqualsReplay("fixtures/scenes/clean-307.mcap", "scene", rate),
    slow,
  );

  it("ends when it is told to, also while the broker is away", async () => {
    const fragile = await Mosquitto.start();
    const run = startPolyphase("run", "--mqtt", fragile.url, "--model", "scene", "--json");
    await run.hasSaid("listening to polyphase/sensors");
    await fragile.stop();
    await run.hasSaid("lost the connection");
    run.kill("SIGINT");
    const { status, stdout } = await run.ended;
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ events: 0, streams: 0 });
  });

  it("ends before it begins where its recording would overwrite another", async () => {
    const record = join(scratch, "precious.mcap");
    writeFileSync(record, "precious");
    const target = ["--mqtt", broker.url, "--record", record];
    const { status, stderr } = await polyphase("run", "--model", "scene", ...target);
    expect(status).toBe(1);
    expect(stderr).toContain(`Cannot write recording ${record}: there is a file already`);
    expect(readFileSync(record, "utf8")).toBe("precious");
  });

  it("ends with status 69 and a reason where there is no broker", async () => {
    const mqtt = ["--mqtt", "mqtt://127.0.0.1:9", "--connect-timeout", "300"];
    const { status, stderr } = await polyphase("run", "--model", "scene", ...mqtt);
    expect(status).toBe(69);
    expect(stderr).toMatch(/Cannot connect to mqtt:\/\/127.0.0.1:9: .*ECONNREFUSED/);
  });

  const data = dataDirectory();
  const real = [
    { name: "grid", folder: "grid-s1", rate: "3" },
    { name: "nmnist", folder: "nmnist", rate: "1" },
  ];
  for (const { name, folder, rate } of real) {
    it.skipIf(!existsSync(join(data, folder)))(
      `of a real ${name} recording is its replay`,
      async () => {
        const out = join(scratch, name);
        const { status, stderr } = await polyphase("import", name, "--limit", "1", "--out", out);
        expect(status, stderr).toBe(0);
        await expectLiveEqualsReplay(out, name, rate);
      },
      slow,
    );
  }
});

interface Run {
  readonly summary: RunSummary;
  readonly predictions: string;
}

function lineCount(path: string): number {
  return readFileSync(path, "utf8").split("\n").length - 1;
}
