// Replays a recording again and again with a model whose frames are not encoded, in a process of its
// own and as it is built: node bench/replay-framework.mjs <model> <recording> <replays>
// Prints ns per event of each replay but the first four, which warm up.
import { chooseModel, prepareModel } from "../dist/cli/load-model.js";
import { runPipeline } from "../dist/streams/pipeline.js";
import { openRecording } from "../dist/streams/replay/recording-reader.js";
import { replaySource } from "../dist/streams/replay/replay-source.js";

const warmUpReplays = 4;
const [directory, path, replays] = process.argv.slice(2);
const { stored } = await chooseModel(directory, 1);
const options = { kernel: "auto", encoder: "typescript" };
const full = await prepareModel(stored, options, console.error);
const encoders = full.encoders.map((encoder, i) => {
  if (full.graph.sensors[i].spec.kind !== "video") return encoder;
  return { ...encoder, encode: () => undefined };
});
const model = { ...full, encoders };
const sensors = model.graph.sensors.map(({ spec }) => ({ name: spec.name, latenessUs: 0 }));

async function replay() {
  const recording = await openRecording(path);
  const { counts } = await runPipeline({
    source: replaySource(recording, { order: "received", inFlightMax: 32_768 }),
    model,
    sink: { write: () => undefined, close: async () => undefined },
    merge: () => ({ sensors, waitingMax: 16_384 }),
    onMalformed: "fail",
  });
  await recording.close();
  return counts.taken;
}

const figures = { cpu: [], wall: [] };
for (let i = 0; i < Number(replays); i++) {
  const wallStart = process.hrtime.bigint();
  const cpuStart = process.cpuUsage();
  const events = await replay();
  const { user, system } = process.cpuUsage(cpuStart);
  const elapsed = Number(process.hrtime.bigint() - wallStart);
  if (i < warmUpReplays) continue;
  figures.cpu.push(((user + system) * 1000) / events);
  figures.wall.push(elapsed / events);
}
console.log(JSON.stringify(figures));
