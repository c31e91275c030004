// Replays a recorder's file again and again as `polyphase replay` does, in one process and as it is
// built: node bench/replay-sustained.mjs <model> <recording> <replays>
// Prints seconds of each replay but the first, which warms up: what a long recording takes.
import { chooseModel, prepareModel } from "../dist/cli/load-model.js";
import { inFlightMax } from "../dist/cli/replay/replay-recorded-log.js";
import { openRecordedLogs } from "../dist/streams/replay/log/recorded-log.js";
import { replayLog } from "../dist/streams/replay/log/replay-log.js";

const [directory, path, replays] = process.argv.slice(2);
const { stored } = await chooseModel(directory, 1);
const model = await prepareModel(stored, { kernel: "auto", encoder: "auto" }, console.error);
const [{ log }] = await openRecordedLogs([path]);
const sink = { write: () => undefined, close: async () => undefined };

const seconds = { cpu: [], wall: [] };
for (let i = 0; i < Number(replays); i++) {
  const wallStart = process.hrtime.bigint();
  const cpuStart = process.cpuUsage();
  await replayLog(log, { model, sink, inFlightMax });
  const { user, system } = process.cpuUsage(cpuStart);
  if (i === 0) continue;
  seconds.cpu.push((user + system) / 1e6);
  seconds.wall.push(Number(process.hrtime.bigint() - wallStart) / 1e9);
}
await log.close();
console.log(JSON.stringify(seconds));
