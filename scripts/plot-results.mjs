// Draws the curves of docs/results/training.md from what scripts/train-results.mjs left in DIR:
// adding.svg, how losses fall for each range of τ; open-fraction.svg, accuracy against open units.
//   node scripts/plot-results.mjs --from DIR [--to docs/results]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { from: { type: "string" }, to: { type: "string", default: "docs/results" } },
});
if (values.from === undefined) throw new Error("Cannot draw: --from must name a directory");

const width = 720;
const height = 400;
const left = 70;
const right = width - 30;
const top = 40;
const bottom = height - 50;
const colours = ["#4477aa", "#cc6677", "#228833", "#aa7700"];

const results = readLines(join(values.from, "results.jsonl"));
write("adding.svg", addingCurves());
write("open-fraction.svg", openFractionCurve());

function addingCurves() {
  const ranges = ["0-2", "2-4", "4-6", "6-8"];
  const series = ranges.map((range) => {
    const name = `adding/tau-${range}`;
    const runs = resultsOf(name).map(({ seed }) => reportsOf(name, seed));
    const points = runs[0].map(({ batch }, i) => [batch, mean(runs.map((reports) => reports[i].loss))]);
    return { name: `τ = exp(${range.replace("-", " … ")})`, points };
  });
  return plot({
    title: "Adding, T = 490 … 510: training loss, mean of three seeds (MSE; τ in steps)",
    x: { name: "batches of 32", ticks: [0, 1000, 2000, 3000, 4000], scale: (x) => x },
    y: { name: "", ticks: [0.001, 0.003, 0.01, 0.03, 0.1, 0.2], scale: Math.log10 },
    series,
  });
}

function openFractionCurve() {
  const names = ["0.01", "0.02", "0.03", "0.1", "0.2", "0.5", "1"].map((r) => `ablation/open-${r}`);
  const points = [...names, "ablation/base"]
    .map((name) => [
      mean(resultsOf(name).map(({ test }) => test.openFraction)),
      100 * mean(resultsOf(name).map(({ test }) => test.accuracy)),
    ])
    .sort(([a], [b]) => a - b);
  return plot({
    title: "Frequency discrimination, asynchronous, 3,000 batches: accuracy, %",
    x: { name: "open units, %", ticks: [1, 2, 5, 10, 20, 50, 100], scale: (x) => Math.log10(x) },
    y: { name: "", ticks: [80, 85, 90, 95, 100], scale: (y) => y },
    series: [{ name: "", points: points.map(([open, accuracy]) => [100 * open, accuracy]) }],
    dots: true,
  });
}

function plot({ title, x, y, series, dots = false }) {
  const place = (axis, from, to) => {
    const [low, high] = [axis.scale(axis.ticks[0]), axis.scale(axis.ticks.at(-1))];
    return (value) => (from + ((to - from) * (axis.scale(value) - low)) / (high - low)).toFixed(1);
  };
  const atX = place(x, left, right);
  const atY = place(y, bottom, top);
  const text = (px, py, anchor, words, fill = "black") =>
    `<text x="${px}" y="${py}" text-anchor="${anchor}" fill="${fill}">${words}</text>`;
  const rule = (x1, x2, y1, y2) =>
    `<line x1="${x1}" x2="${x2}" y1="${y1}" y2="${y2}" stroke="#ddd"/>`;
  const lines = series.flatMap(({ name, points }, i) => {
    const inside = points.filter(([, value]) => value <= y.ticks.at(-1));
    const path = inside.map(([px, py]) => `${atX(px)},${atY(py)}`).join(" ");
    const dot = ([px, py]) => `<circle cx="${atX(px)}" cy="${atY(py)}" r="3" fill="${colours[i]}"/>`;
    return [
      `<polyline points="${path}" fill="none" stroke="${colours[i]}" stroke-width="1.5"/>`,
      ...(dots ? inside.map(dot) : []),
      text(left + 10, bottom - 10 - 16 * (series.length - 1 - i), "start", name, colours[i]),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(left, 22, "start", title),
    ...x.ticks.flatMap((tick) => [
      rule(atX(tick), atX(tick), top, bottom),
      text(atX(tick), bottom + 18, "middle", tick),
    ]),
    ...y.ticks.flatMap((tick) => [
      rule(left, right, atY(tick), atY(tick)),
      text(left - 6, Number(atY(tick)) + 4, "end", tick),
    ]),
    text(right, height - 12, "end", x.name),
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

function resultsOf(name) {
  const found = results.filter((result) => result.name === name);
  if (found.length === 0) throw new Error(`Cannot draw: ${values.from} has no results of ${name}`);
  return found;
}

function reportsOf(name, seed) {
  return readLines(join(values.from, name, String(seed), "train.jsonl"));
}

function readLines(path) {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function mean(numbers) {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}

function write(name, svg) {
  writeFileSync(join(values.to, name), svg);
}
