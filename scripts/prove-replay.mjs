// Proves on many recordings that a live run, its replays, its resumed parts and its parallel replay
// are the same bits: predictions as lines, and final states.
//
//   node scripts/prove-replay.mjs <preset> <directory of recordings> [how many]
//
// The live run is in disorder: every item is delayed by up to 20 ms, seeded. Exit status 1 at the
// first difference.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { from } from "rxjs";
import { chooseModel, prepareModel } from "../dist/cli/load-model.js";
import { Random } from "../dist/sensors/random.js";
import { stateHash } from "../dist/state/checkpoint.js";
import { runPipeline } from "../dist/streams/pipeline.js";
import { FileOutput } from "../dist/streams/record/file-output.js";
import { createRecorder } from "../dist/streams/record/recorder.js";
import { recorderMetadata } from "../dist/streams/record/recorder-metadata.js";
import { openRecordedLogs } from "../dist/streams/replay/log/recorded-log.js";
import { replayLog } from "../dist/streams/replay/log/replay-log.js";
import { Pace } from "../dist/streams/replay/pace.js";
import { openRecording } from "../dist/streams/replay/recording-reader.js";

const jitterUs = 20_000;
const latenessUs = 45_000;
const keyframeUs = { grid: 500_000, scene: 500_000, nmnist: 50_000 };

const [preset, directory, count = "Infinity"] = process.argv.slice(2);
if (!(preset in keyframeUs) || directory === undefined) {
  console.error("usage: prove-replay.mjs grid|nmnist|scene <directory> [how many]");
  process.exit(64);
}
const { stored } = await chooseModel(preset, 1);
const model = await prepareModel(stored, { kernel: "auto", encoder: "auto" }, console.error);

function lineSink() {
  const lines = [];
  const write = (predictions) => {
    for (const prediction of predictions) lines.push(JSON.stringify(prediction));
  };
  return { lines, write, close: async () => undefined };
}

async function arriving(path, seed) {
  const random = new Random(seed);
  const recording = await openRecording(path);
  const deliveries = [];
  for await (const batch of recording.items()) {
    for (const { item, receivedUs } of batch) {
      const at = receivedUs + random.below(jitterUs);
      deliveries.push({ item, receivedUs: at, acknowledge: () => undefined });
    }
  }
  await recording.close();
  return deliveries.sort((a, b) => a.receivedUs - b.receivedUs);
}

async function liveRun(path, recorded, seed) {
  const deliveries = await arriving(path, seed);
  const present = new Set(deliveries.map(({ item }) => item.sensor));
  const names = model.graph.sensors.map(({ spec }) => spec.name);
  const recorder = await createRecorder({
    keyframeUs: keyframeUs[preset],
    output: (table) =>
      new FileOutput(table, {
        path: () => recorded,
        metadata: recorderMetadata(basename(path), model, { policy: "drop" }),
      }),
  });
  const sink = lineSink();
  const { streams, counts } = await runPipeline({
    ...{ model, sink, recorder, onMalformed: "fail" },
    source: { open: () => from(deliveries) },
    merge: () => ({
      sensors: names.filter((name) => present.has(name)).map((name) => ({ name, latenessUs })),
      waitingMax: 1 << 20,
    }),
  });
  await recorder.close();
  if (counts.taken !== counts.fused) throw new Error(`${path}: ${JSON.stringify(counts.dropped)}`);
  const times = deliveries.map(({ item }) => item.timeUs);
  const disorder = times.filter((timeUs, i) => i > 0 && timeUs < times[i - 1]).length;
  return { lines: sink.lines, hash: stateHash(streams, model), events: counts.fused, disorder };
}

async function replayed(log, options) {
  const sink = lineSink();
  const onKeyframe = ({ timeUs, checkpoint }, now) => {
    keyframes++;
    if (Buffer.compare(checkpoint, now) !== 0) throw new Error(`another state at ${timeUs} µs`);
  };
  const { streams } = await replayLog(log, { model, sink, onKeyframe, inFlightMax: 8192, ...options });
  return { lines: sink.lines, hash: stateHash(streams, model) };
}

function expectSame(what, live, other) {
  const at = live.lines.length - other.lines.length;
  const differs = other.lines.findIndex((line, i) => line !== live.lines[at + i]);
  if (differs >= 0) throw new Error(`${what}: line ${at + differs + 1} differs`);
  if (other.hash !== live.hash) throw new Error(`${what}: another final state`);
}

let keyframes = 0;
const sums = { recordings: 0, events: 0, disorder: 0, predictions: 0, resumed: 0 };
const folder = mkdtempSync(join(tmpdir(), "polyphase-prove-"));
const digest = createHash("sha256");
let golden = "";
const names = readdirSync(directory).filter((name) => name.endsWith(".mcap"));
for (const [i, name] of names.sort().slice(0, Number(count)).entries()) {
  const recorded = join(folder, name);
  const live = await liveRun(join(directory, name), recorded, i);
  const [{ log }] = await openRecordedLogs([recorded]);
  const whole = await replayed(log, {});
  if (whole.lines.length !== live.lines.length) throw new Error(`${name}: lines are missing`);
  expectSame(`${name} replayed`, live, whole);
  const paced = await replayed(log, { shape: new Pace({ rate: 100 }).operator });
  if (paced.lines.length !== live.lines.length) throw new Error(`${name}: lines are missing`);
  expectSame(`${name} at rate 100`, live, paced);
  for (const { chunk } of await log.keyframes()) {
    const segment = { from: chunk, to: log.chunks, states: await log.states(chunk) };
    expectSame(`${name} from chunk ${chunk}`, live, await replayed(log, { segment }));
    sums.resumed++;
  }
  await log.close();
  for (const line of live.lines) golden += `${line}\n`;
  digest.update(live.hash);
  sums.recordings++;
  sums.events += live.events;
  sums.disorder += live.disorder;
  sums.predictions += live.lines.length;
  if (sums.recordings % 20 === 0) console.error(`${sums.recordings} …`);
}
const goldenPath = join(folder, "golden.ndjson");
writeFileSync(goldenPath, golden);
const parallel = spawnSync(
  process.execPath,
  ["dist/cli/main.js", "replay", folder, "--model", preset, "--parallel", "2"].concat([
    ...["--assert", goldenPath, "--json"],
  ]),
  { encoding: "utf8", maxBuffer: 1 << 28 },
);
if (parallel.status !== 0) throw new Error(`in parallel: ${parallel.stderr}`);
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ preset, ...sums, keyframesCompared: keyframes }));
console.log(`predictions ${JSON.parse(parallel.stdout).digest}`);
console.log(`final states ${digest.digest("hex")}`);
