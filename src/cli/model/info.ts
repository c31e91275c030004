import type { Command } from "commander";
import { hasOscillator } from "../../cells/gate.ts";
import { chooseKernel } from "../../cells/kernels/choose-kernel.ts";
import { createFusionGraph, type FusionGraph } from "../../fusion/fusion-graph.ts";
import { grouped, percent } from "../format/numbers.ts";
import { table } from "../format/table.ts";
import { chooseModel } from "../load-model.ts";
import { wholeNumber } from "../model-options.ts";

interface InfoOptions {
  readonly seed: number;
  readonly json?: boolean;
}

/** Means and ends of a layer's gates. */
interface GateInfo {
  readonly periodMs: readonly [least: number, most: number];
  readonly meanOpenRatio: number;
}

/** `polyphase model info`: where a model comes from and what its gates have become. */
export function registerModelInfo(model: Command): void {
  model
    .command("info")
    .description("show a model's hash, origin, layers, gates and how it was trained")
    .argument("<model>", "model directory, shipped model or preset")
    .option("--seed <n>", "seed of a preset's untrained weights", wholeNumber, 1)
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
Examples:
  polyphase model info nmnist
  polyphase model info runs/frequency/model --json | jq .provenance`,
    )
    .action(infoCommand);
}

async function infoCommand(name: string, options: InfoOptions): Promise<void> {
  const { stored, origin, trained } = await chooseModel(name, options.seed);
  const { spec, weights, hash } = stored;
  const graph = createFusionGraph(spec, weights, chooseKernel("reference-f64").kernel);
  const parameters = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  const layers = layerInfos(graph);
  const { provenance } = spec;
  const info = { name: spec.name, hash, origin, trained, parameters, layers, provenance };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(info, undefined, 2)}\n`);
    return;
  }
  const rows = layers.map(({ name: layer, cell, inputs, units, gate, gates }) => [
    layer,
    cell,
    `${inputs} → ${units}`,
    gate,
    gates === undefined ? "" : gates.periodMs.map((ms) => ms.toPrecision(4)).join(" … "),
    gates === undefined ? "" : percent(gates.meanOpenRatio),
  ]);
  const lines = [
    `${spec.name}, ${trained ? "trained" : "untrained"}, from ${origin}`,
    `hash        ${hash}`,
    `parameters  ${grouped(parameters)}`,
    ...Object.entries(provenance).map(([key, value]) => `${key.padEnd(11)} ${value}`),
    "",
    table(["layer", "cell", "size", "gate", "τ, ms", "open"], rows),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function layerInfos(graph: FusionGraph) {
  return graph.layers.map(({ spec, parameters }) => ({
    name: spec.name,
    cell: spec.cell,
    inputs: parameters.inputs,
    units: spec.units,
    gate: spec.gate.mode,
    gates: gateInfo(parameters),
  }));
}

function gateInfo({
  gate,
  periodUs,
  openRatio,
}: FusionGraph["layers"][number]["parameters"]): GateInfo | undefined {
  if (!hasOscillator(gate)) return undefined;
  const periods = Array.from(periodUs, (us) => us / 1000);
  const ratios = Array.from(openRatio);
  return {
    periodMs: [Math.min(...periods), Math.max(...periods)],
    meanOpenRatio: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
  };
}
