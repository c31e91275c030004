import type { Command } from "commander";
import { hasOscillator } from "../../cells/gate.ts";
import { gateCount } from "../../cells/layer-parameters.ts";
import { presets } from "../../fusion/presets/presets.ts";
import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import { headSize, inputLength, nodeSizes } from "../../fusion/spec/node-sizes.ts";
import { type StoredModel, writeModelDirectory } from "../../state/model-directory.ts";
import { grouped, percent } from "../format/numbers.ts";
import { table } from "../format/table.ts";
import { type ChosenModel, chooseModel } from "../load-model.ts";
import { wholeNumber } from "../model-options.ts";

interface GraphCommandOptions {
  readonly seed: number;
  readonly json?: boolean;
  readonly mermaid?: boolean;
  readonly save?: string;
}

/** `polyphase graph`: what a model is made of, and preset models as directories to start from. */
export function registerGraph(program: Command): void {
  program
    .command("graph")
    .description("show the graph of a model, or save a preset as a model directory")
    .argument("<model>", `model directory or preset: ${Object.keys(presets).join(", ")}`)
    .option("--seed <n>", "seed of a preset's untrained weights", wholeNumber, 1)
    .option("--json", "print the specification and the sizes as JSON")
    .option("--mermaid", "print the graph as a Mermaid flowchart")
    .option("--save <dir>", "write the model as a directory that must not exist yet")
    .addHelpText(
      "after",
      `
Examples:
  polyphase graph grid                      layers, sizes and cost
  polyphase graph nmnist --save my-model    a directory to edit, train and replay with`,
    )
    .action(graphCommand);
}

async function graphCommand(name: string, options: GraphCommandOptions): Promise<void> {
  const chosen = await chooseModel(name, options.seed);
  if (options.save !== undefined) {
    await writeModelDirectory(options.save, chosen.stored);
    console.error(`wrote ${options.save}: model ${chosen.stored.hash}`);
  }
  const { spec, hash } = chosen.stored;
  if (options.json === true) {
    const layers = layerSizes(chosen.stored);
    process.stdout.write(`${JSON.stringify({ hash, spec, layers }, undefined, 2)}\n`);
  } else if (options.mermaid === true) {
    process.stdout.write(`${mermaid(spec)}\n`);
  } else {
    process.stdout.write(`${graphText(chosen)}\n`);
  }
}

interface LayerSize {
  readonly name: string;
  readonly inputs: number;
  readonly units: number;
  readonly parameters: number;
  /** Multiply–accumulates with every unit open. */
  readonly denseMacs: number;
  /** Share of the units that are open at a time that falls at random. */
  readonly openRatio: number;
}

function layerSizes({ spec, weights }: StoredModel): readonly LayerSize[] {
  const sizes = nodeSizes(spec);
  return spec.layers.map((layer) => {
    const inputs = inputLength(layer, sizes);
    const own = [...weights].filter(([name]) => name.startsWith(`${layer.name}.`));
    const ratios = weights.get(`${layer.name}.open_ratio`)?.data;
    const mean = ratios && Array.from(ratios).reduce((sum, r) => sum + r, 0) / ratios.length;
    return {
      name: layer.name,
      inputs,
      units: layer.units,
      parameters: own.reduce((sum, [, tensor]) => sum + tensor.data.length, 0),
      denseMacs: gateCount(layer.cell) * layer.units * (inputs + layer.units),
      openRatio: mean ?? (layer.gate.mode === "aligned" ? layer.gate.openRatio : 1),
    };
  });
}

function graphText({ stored, origin }: ChosenModel): string {
  const { spec, hash } = stored;
  const sizes = layerSizes(stored);
  const layers = table(
    ["layer", "cell", "gate", "inputs", "size", "units", "parameters", "MAC dense", "open"],
    spec.layers.map((layer, i) => [
      layer.name,
      layer.cell,
      layer.gate.mode,
      layer.inputs.join(" + "),
      sizes[i]!.inputs,
      layer.units,
      grouped(sizes[i]!.parameters),
      grouped(sizes[i]!.denseMacs),
      hasOscillator(layer.gate.mode) ? percent(sizes[i]!.openRatio) : "own events",
    ]),
  );
  const nodes = nodeSizes(spec);
  const sensors = table(
    ["sensor", "kind", "vector"],
    spec.sensors.map(({ name, kind }) => [name, kind, nodes.get(name)!]),
  );
  const heads = table(
    ["head", "type", "inputs", "size", "output"],
    spec.heads.map((head) => [
      head.name,
      head.type,
      head.inputs.join(" + "),
      headSize(head),
      head.output,
    ]),
  );
  const title = `${spec.name} (${origin}), time origin ${spec.time.origin}, model ${hash}`;
  return [title, "", sensors, "", layers, "", heads].join("\n");
}

function mermaid(spec: GraphSpec): string {
  const nodes = [
    ...spec.sensors.map(({ name, kind }) => `  ${name}([${name}: ${kind}])`),
    ...spec.layers.map(({ name, units, gate }) => `  ${name}[${name}: ${units}, ${gate.mode}]`),
    ...spec.heads.map((head) => `  ${head.name}{{${head.name}: ${head.type} ${headSize(head)}}}`),
  ];
  const edges = [...spec.layers, ...spec.heads].flatMap(({ name, inputs }) => {
    return inputs.map((input) => `  ${input} --> ${name}`);
  });
  return ["flowchart LR", ...nodes, ...edges].join("\n");
}
