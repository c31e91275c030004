// Runs the training runs that docs/results/training.md reports, one after the other, shortest
// first. Each result is a line of results.jsonl; what is there is not run again, and an interrupted
// run is resumed.
//   node scripts/train-results.mjs --out DIR [--data DIR] [--only REGEX] [--seeds 1,2,3] [--table]
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    data: { type: "string", default: process.env.POLYPHASE_DATA ?? "../shared/data" },
    only: { type: "string", default: "" },
    seeds: { type: "string", default: "1,2,3" },
    table: { type: "boolean", default: false },
  },
});
if (values.out === undefined) throw new Error("Cannot run: --out must name a directory");

const seeds = values.seeds.split(",").map(Number);
const short = ["frequency", "--batches", "3000", "--rate", "0.01"];
const sampled = ["--learn", "none", "--period-ms", "20,55", "--rate", "0.01", "--average", "0.998"];
const nmnist = ["nmnist", "--data", values.data];
const adding = ["adding", "--batches", "4000"];
const regular = ["--sampling", "1ms"];
const lstm = ["frequency", "--cell", "lstm", "--batches", "3000"];
const rnn = ["frequency", "--batches", "3000", "--rate", "0.001", "--cell"];
const batchNormLstm = ["frequency", "--cell", "bn-lstm", "--batches", "1000", "--test-sequences", "16384"];
const long = ["--simulated", "40000", "--batches"];
const heldOut500 = [...nmnist, "--hold-out", "500"];

/** Name, arguments of `polyphase train`, and the keep probabilities to evaluate at. */
const runs = [
  ["frequency/short", ["frequency", "--batches", "800", "--rate", "0.01"]],
  ["ablation/base", short],
  ["ablation/learn-none", [...short, "--learn", "none"]],
  ["ablation/learn-period", [...short, "--learn", "period"]],
  ["ablation/learn-shift", [...short, "--learn", "shift"]],
  ["ablation/learn-all", [...short, "--learn", "period,shift,open-ratio"]],
  ["ablation/learn-all-penalty", [...short, "--learn", "period,shift,open-ratio", "--open-penalty", "0.5"]],
  ["ablation/random", [...short, "--spread", "random"]],
  ["ablation/square", [...short, "--cell", "square-lstm"]],
  ["ablation/average", [...short, "--average", "0.998"]],
  ["ablation/open-0.01", [...short, "--open-ratio", "0.01"]],
  ["ablation/open-0.02", [...short, "--open-ratio", "0.02"]],
  ["ablation/open-0.03", [...short, "--open-ratio", "0.03"]],
  ["ablation/open-0.1", [...short, "--open-ratio", "0.1"]],
  ["ablation/open-0.2", [...short, "--open-ratio", "0.2"]],
  ["baseline/rnn", [...rnn, "tanh-rnn"]],
  ["baseline/rnn-1ms", [...rnn, "tanh-rnn", ...regular]],
  ["baseline/irnn", [...rnn, "relu-rnn", "--identity", "1"]],
  ["baseline/bn-lstm", batchNormLstm],
  ["baseline/bn-lstm-1ms", [...batchNormLstm, ...regular]],
  ["baseline/lstm", lstm],
  ["baseline/lstm-1ms", [...lstm, ...regular]],
  ["frequency/1ms", ["frequency", ...regular, ...sampled]],
  ["frequency/async-0.03", ["frequency", "--open-ratio", "0.03", "--rate", "0.01"]],
  ["frequency/two-sines-short", ["frequency", "--signal", "two-sines", "--batches", "3000"]],
  ["nmnist/simulated", [...nmnist, "--recordings", "simulated", "--batches", "4000"], [0.75, 0.4]],
  ["baseline/nmnist-cnn", [...heldOut500, "--network", "frame-cnn", "--batches", "1500", "--rate", "0.002"]],
  ["baseline/nmnist-lstm", [...heldOut500, "--cell", "lstm", "--batches", "1000", "--rate", "0.005"]],
  ["nmnist/mixed", heldOut500],
  ["nmnist/mixed-0.04", [...heldOut500, "--open-ratio", "0.04"]],
  ["nmnist/simulated-long", [...nmnist, "--recordings", "simulated", ...long, "10000"], [0.75, 0.4]],
  ["nmnist/mixed-long", [...heldOut500, ...long, "14000"]],
  ["frequency/0.1ms", ["frequency", "--sampling", "0.1ms", "--batches", "4000", "--learn", "none"]],
  ["frequency/two-sines", ["frequency", "--signal", "two-sines"]],
  ["adding/tau-6-8", [...adding, "--period-ms", "403.4,2981"]],
  ["adding/tau-4-6", [...adding, "--period-ms", "54.6,403.4"]],
  ["adding/tau-2-4", [...adding, "--period-ms", "7.39,54.6"]],
  ["adding/tau-0-2", [...adding, "--period-ms", "1,7.39"]],
  ["ablation/open-0.5", [...short, "--open-ratio", "0.5"]],
  ["ablation/open-1", [...short, "--open-ratio", "1"]],
  ["ablation/leak", [...short, "--leak", "0.001"]],
  ["adding/long", ["adding"]],
  ["adding/long-0.047", ["adding", "--open-ratio", "0.047"]],
];

const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const resultsFile = join(values.out, "results.jsonl");
mkdirSync(values.out, { recursive: true });

if (values.table) printTable(readResults());
else runAll();

function runAll() {
  const done = new Set(readResults().map(({ name, seed }) => `${name} ${seed}`));
  for (const [name, args, keeps = []] of runs) {
    if (!new RegExp(values.only).test(name)) continue;
    for (const seed of seeds) {
      if (done.has(`${name} ${seed}`)) continue;
      const out = join(values.out, name, String(seed));
      const startMs = Date.now();
      const result = polyphase(["train", ...args, "--out", out, "--seed", String(seed)]);
      const wallSeconds = Math.round((Date.now() - startMs) / 1000);
      const kept = keeps.map((rho) => evaluateAt(result.model, rho));
      const line = { name, seed, args, wallSeconds, ...result, kept };
      appendFileSync(resultsFile, `${JSON.stringify(line)}\n`);
    }
  }
}

function evaluateAt(model, rho) {
  const args = ["eval", "nmnist", "--model", model, "--data", values.data, "--json"];
  const { accuracy, updatesPerNeuron } = polyphase([...args, "--rho", String(rho)]);
  return { rho, accuracy, updatesPerNeuron };
}

function polyphase(args) {
  const options = { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
  const { status, signal, stdout } = spawnSync(process.execPath, [cli, ...args], options);
  if (status !== 0) throw new Error(`polyphase ${args.join(" ")} ended with ${signal ?? status}`);
  return JSON.parse(stdout);
}

function readResults() {
  if (!existsSync(resultsFile)) return [];
  const lines = readFileSync(resultsFile, "utf8").split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

/** One row for each name: mean ± standard deviation over the seeds that are done. */
function printTable(results) {
  console.log("| run | seeds | accuracy, % | loss | open, % | CPU, s | command |");
  console.log("|---|---|---|---|---|---|---|");
  for (const name of new Set(results.map((result) => result.name))) {
    const group = results.filter((result) => result.name === name);
    const spread = (pick, digits) => meanAndDeviation(group.map(pick), digits);
    const cells = [
      name,
      group.map(({ seed }) => seed).join(", "),
      spread(({ test }) => 100 * test.accuracy, 2),
      spread(({ test }) => test.loss, 6),
      spread(({ test }) => 100 * test.openFraction, 2),
      spread(({ cpuSeconds }) => cpuSeconds, 0),
      `\`polyphase train ${group[0].args.join(" ").replace(values.data, "DATA")}\``,
    ];
    console.log(`| ${cells.join(" | ")} |`);
    for (const { rho } of group[0].kept) {
      const at = (pick) => meanAndDeviation(group.map((g) => pick(g.kept.find((k) => k.rho === rho))), 2);
      const updates = at((kept) => Object.values(kept.updatesPerNeuron)[0]);
      console.log(`| ${name}, ρ ${rho} | | ${at((kept) => 100 * kept.accuracy)} | | updates ${updates} | | |`);
    }
  }
}

function meanAndDeviation(numbers, digits) {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  if (numbers.length === 1) return mean.toFixed(digits);
  const square = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (numbers.length - 1);
  return `${mean.toFixed(digits)} ± ${Math.sqrt(square).toFixed(digits)}`;
}
