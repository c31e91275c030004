import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readTestFile } from "../../../src/cli/test/read-test-file.ts";
import { runTestFile, type TestResult } from "../../../src/cli/test/run-test-file.ts";
import { presets } from "../../../src/fusion/presets/presets.ts";
import { polyphase } from "../../e2e/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "polyphase-tests-"));
afterAll(() => rmSync(folder, { recursive: true }));
const graph = resolve("deploy/examples/tests/two-sensors.json");

function testFile(name: string, text: string): string {
  const path = join(folder, `${name}.test.yaml`);
  writeFileSync(path, text.replace("GRAPH", graph));
  return path;
}

async function results(path: string): Promise<readonly TestResult[]> {
  const all: TestResult[] = [];
  for await (const result of runTestFile(await readTestFile(path), "")) all.push(result);
  return all;
}

describe("polyphase test", () => {
  it("passes the examples: late, idle, future, duplicate, reboot, rewind", async () => {
    const { status, stdout, stderr } = await polyphase("test", "deploy/examples/tests");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain("12 tests passed");
  });

  it("shows what was expected and what came, and where; exit status 1", async () => {
    const path = testFile(
      "wrong",
      `graph: GRAPH
sensors: { eye: { joined: false } }
tests:
  - name: wrong
    input:
      - { at: 1ms, sensor: imu, values: [0.1] }
      - { at: 2ms, sensor: imu, values: [0.2], seq: 5 }
    expect:
      fused: 3
      anomalies: { reboot: 1 }
      watermarks: [{ at: 1ms }]
      predictions:
        - { at: 2ms, time: 1ms, revision: 0 }
        - { time: 3ms, values: [0.5, 0.5] }
        - { time: 4ms }
`,
    );
    const { status, stdout, stderr } = await polyphase("test", path, "--tap");
    expect(status).toBe(1);
    expect(stderr).toContain("1 of 1 tests failed");
    const [{ failures } = { failures: [] }] = await results(path);
    expect(failures.map(({ place }) => place)).toEqual([
      `${path}:9:7`,
      `${path}:10:7`,
      `${path}:14:11`,
      `${path}:11:20`,
    ]);
    const lines = failures.flatMap((failure) => failure.lines);
    expect(lines.slice(0, 6)).toEqual([
      ...["- fused: 3", "+ fused: 2", "- anomalies.reboot: 1", "+ anomalies.reboot: 0"],
      ...["- anomalies.seq-gap: 0", "+ anomalies.seq-gap: 4"],
    ]);
    expect(lines[6]).toBe("    1 at 2ms, time 1ms, revision 0");
    expect(lines[7]).toBe("-   2 time 3ms, values [0.5, 0.5]");
    expect(lines[8]).toMatch(/^\+ {3}2 time 2ms, values \[0\.\d+, 0\.\d+\]$/);
    expect(lines.slice(9)).toEqual([
      ...["-   3 time 4ms", "- watermark at 1ms: none", "+ watermark at 1ms: 1ms"],
    ]);
    expect(stdout.split("\n").slice(0, 4)).toEqual([
      ...["TAP version 14", `# ${path}`, "not ok 1 - wrong", "  ---"],
    ]);
    expect(stdout).toMatch(/\n1\.\.1\n$/);
  });

  it("says what is wrong with a file, at which line and column; exit status 78", async () => {
    const path = testFile(
      "bad",
      `graph: GRAPH
sensors: { imu: { lateness: 5, lateniss: 1ms } }
tests:
  - name: a
    input:
      - { at: 10xs, sensor: imu, values: [0.1] }
      - { at: 10ms, sensor: imu, valus: [0.1] }
    expect: { dropped: { late: -1 } }
`,
    );
    const { status, stderr } = await polyphase("test", path);
    expect(status).toBe(78);
    const unit = "must be a time with its unit (us, ms, s, m or h), e.g. 12.5ms";
    expect(stderr.trimEnd().split("\n")).toEqual([
      `polyphase: ${path}:2:19: sensors.imu.lateness: ${unit}, got 5`,
      `${path}:2:32: sensors.imu.lateniss: Unrecognized key: "lateniss"`,
      `${path}:6:11: tests.0.input.0.at: ${unit}, got "10xs"`,
      `${path}:7:9: tests.0.input.1: must have exactly one of values, events, grey, status, marker, generate, recording, has none`,
      `${path}:8:26: tests.0.expect.dropped.late: Too small: expected number to be >=0, got -1 [BAD_CONFIG]`,
    ]);
  });

  it.each([
    ["a: [1,\nb: 2\n", ":2:1: Flow sequence"],
    [
      "graph: GRAPH\nmodel: scene\ntests: [{ name: a, input: [], expect: {} }]",
      "either a model or",
    ],
    ["graph: nowhere.json\ntests: [{ name: a, input: [], expect: {} }]", ":1:1: Cannot read"],
    [
      "graph: GRAPH\nsensors: { imi: {} }\ntests: [{ name: a, input: [], expect: {} }]",
      ":2:12: the model has no sensor imi, but imu, eye",
    ],
    [
      "graph: GRAPH\ntests: [{ name: a, input: [], expect: { sameAs: b } }]",
      'there is no test "b", but "a"',
    ],
    [
      "graph: GRAPH\ntests:\n- name: a\n  input: [{ at: 2ms, sensor: eye, values: [1] }]\n  expect: {}",
      ":4:11: sensor eye is of kind dvs: it must be given events, got values",
    ],
    [
      "graph: GRAPH\ntests:\n- name: a\n  until: 1ms\n  input: [{ at: 2ms, sensor: imu, values: [1] }]\n  expect: {}",
      ":4:3: until must not be before the last input, at 2ms",
    ],
    [
      "graph: GRAPH\ntests:\n- name: a\n  input: [{ at: 0, recording: no.mcap }]\n  expect: {}",
      ":4:11: Cannot open recording",
    ],
  ])("refuses %j", async (text, message) => {
    await expect(results(testFile("refused", text))).rejects.toThrow(message);
  });

  it("feeds recordings, frames, packets, markers and statuses on the virtual clock", async () => {
    const scene = resolve("fixtures/scenes/no-audio-836.mcap");
    const path = testFile(
      "scene",
      `model: scene
sensors: { audio: { joined: false, lateness: 1s }, video: { lateness: 10ms }, dvs: { lateness: 10ms } }
stream: any
tests:
  - name: recording
    input:
      - { at: 1s, recording: ${scene} }
    expect: { dropped: {} }
  - name: by hand
    until: 1h
    input:
      - { at: 0, marker: session-start }
      - { at: 10ms, sensor: video, grey: 200 }
      - { at: 20ms, sensor: dvs, events: [[0, 1, 2, 1], [250us, 33, 33, 0]] }
      - { at: 30ms, sensor: dvs, status: left }
      - { at: 40ms, sensor: audio, status: joined }
      - { at: 50ms, sensor: audio, generate: { every: 10ms, count: 3, wave: noise } }
    expect:
      taken: 7
      fused: 7
      dropped: {}
      anomalies: { sensor-joined: 1, sensor-left: 1 }
      statuses: [{ at: 30ms, sensor: dvs, is: left }, { sensor: audio, is: joined }]
`,
    );
    const all = await results(path);
    expect(all.flatMap(({ failures }) => failures.flatMap(({ lines }) => lines))).toEqual([]);
    expect(all).toHaveLength(2);
  });

  it("gives a video sensor frames of the convention that its model asks for", async () => {
    const { spec } = presets["scene"]!;
    const sensors = spec.sensors.map((sensor) =>
      sensor.kind === "video" ? { ...sensor, convention: "crop/fixed-1,2,3,4/v1" } : sensor,
    );
    writeFileSync(join(folder, "lips.json"), JSON.stringify({ ...spec, sensors }));
    const path = testFile(
      "lips",
      `graph: lips.json
sensors: { audio: { joined: false }, dvs: { joined: false } }
tests:
  - name: frame
    input:
      - { at: 10ms, sensor: video, grey: 200 }
    expect: { fused: 1, dropped: {} }
`,
    );
    const all = await results(path);
    expect(all.flatMap(({ failures }) => failures.flatMap(({ lines }) => lines))).toEqual([]);
  });

  it("--schema prints what a file may say as JSON Schema", async () => {
    const { stdout, status } = await polyphase("test", "--schema");
    expect(status).toBe(0);
    const schema = JSON.parse(stdout);
    expect(schema.additionalProperties).toBe(false);
    const forms = schema.properties.tests.items.properties.input.items.oneOf;
    expect(forms.map(({ required }: { required: string[] }) => required.at(-1))).toEqual([
      ...["values", "events", "grey", "status", "marker", "generate", "recording"],
    ]);
  });
});
