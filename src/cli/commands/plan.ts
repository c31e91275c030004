import { type Command, InvalidArgumentError, Option } from "commander";
import { chooseKernel } from "../../cells/kernels/choose-kernel.ts";
import { createFusionGraph } from "../../fusion/fusion-graph.ts";
import type { Governor } from "../../fusion/governor/governor.ts";
import { type LayerPlan, planCompute } from "../../fusion/plan-compute.ts";
import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { addBudgetOptions, type BudgetOptions, governorOf } from "../budget-options.ts";
import { grouped, percent, seconds } from "../format/numbers.ts";
import { table } from "../format/table.ts";
import { chooseModel } from "../load-model.ts";
import { wholeNumber } from "../model-options.ts";

interface PlanOptions extends BudgetOptions {
  readonly at: number;
  readonly for: number;
  readonly rate: readonly string[];
  readonly seed: number;
  readonly json?: boolean;
}

/** Events per second where --rate does not say: 10 ms hops, film, N-MNIST, anything slow. */
const usualRatesHz = { audio: 100, video: 25, dvs: 10_500, scalar: 10 } as const;

function describeRates(): string {
  return Object.entries(usualRatesHz)
    .map(([kind, hz]) => `${kind} ${hz}`)
    .join(", ");
}

/** `polyphase plan`: the compute that the gates of a model will ask for. */
export function registerPlan(program: Command): void {
  const command = program
    .command("plan")
    .description("print the compute a model will need in a coming window of event time")
    .argument("<model>", "model directory or preset")
    .addOption(
      new Option("--at <time>", "begin, since the stream's origin: 90s, 250ms, 3h")
        .argParser(duration)
        .default(0, "0s"),
    )
    .addOption(
      new Option("--for <time>", "length of the window").argParser(duration).default(1e7, "10s"),
    )
    .addOption(
      new Option("--rate <sensor=hz>", "events per second of a sensor; repeatable")
        .argParser(collect)
        .default([], describeRates()),
    )
    .option("--seed <n>", "seed of a preset's untrained weights", wholeNumber, 1);
  addBudgetOptions(command)
    .option("--json", "print the plan as JSON")
    .addHelpText(
      "after",
      `
Gates depend on time alone, so open units and multiply-accumulates are exact for the rates given.
With a budget, the plan is at the open ratios that this load would be narrowed to.

Examples:
  polyphase plan grid --at 1h --for 10s
  polyphase plan grid --at 0s --for 1s --rate audio=50
  polyphase plan grid --budget 1050us/s --govern merge-1 --govern merge-2=0.5`,
    )
    .action(planCommand);
}

async function planCommand(name: string, options: PlanOptions): Promise<void> {
  const { stored } = await chooseModel(name, options.seed);
  const graph = createFusionGraph(stored.spec, stored.weights, chooseKernel("sparse-f32").kernel);
  const window = {
    fromUs: options.at,
    lengthUs: options.for,
    ratesHz: ratesOf(stored.spec, options.rate),
  };
  const governor = governorOf(graph, options);
  const layers = planCompute(graph, window, governor);
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ hash: stored.hash, window, layers }, undefined, 2)}\n`,
    );
  } else {
    process.stdout.write(`${planText(stored.spec, window, layers, governor)}\n`);
  }
}

function ratesOf(spec: GraphSpec, given: readonly string[]): readonly number[] {
  const rates = new Map(given.map(rateOf));
  for (const name of rates.keys()) {
    if (spec.sensors.some((sensor) => sensor.name === name)) continue;
    const names = spec.sensors.map((sensor) => sensor.name).join(", ");
    throw new PolyphaseError("USAGE", `Cannot plan: --rate must name one of ${names}, got ${name}`);
  }
  return spec.sensors.map(({ name, kind }) => rates.get(name) ?? usualRatesHz[kind]);
}

function rateOf(text: string): readonly [string, number] {
  const [name = "", rate = ""] = text.split("=");
  const hz = Number(rate);
  if (!(hz > 0 && hz <= 1e6)) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot plan: --rate must be sensor=hz with hz in (0, 1000000], got ${text}`,
    );
  }
  return [name, hz];
}

function planText(
  spec: GraphSpec,
  window: {
    readonly fromUs: number;
    readonly lengthUs: number;
    readonly ratesHz: readonly number[];
  },
  layers: readonly LayerPlan[],
  governor: Governor | undefined,
): string {
  const sum = (of: (layer: LayerPlan) => number): number =>
    layers.reduce((total, layer) => total + of(layer), 0);
  const rates = spec.sensors.map(({ name }, i) => `${name} ${window.ratesHz[i]} Hz`).join(", ");
  const row = (layer: Omit<LayerPlan, "openUnitsMax"> & { openUnitsMax: number | string }) => [
    layer.name,
    layer.units,
    grouped(layer.steps),
    percent(layer.openUnits / (layer.units * layer.steps)),
    ...(governor === undefined ? [] : [percent(layer.openScale)]),
    layer.openUnitsMax,
    grouped(layer.macs),
    percent(1 - layer.macs / layer.denseMacs),
    grouped(layer.estimatedUs),
  ];
  const total = `${grouped(sum((l) => l.macs))} MAC, about ${grouped(sum((l) => l.estimatedUs))} µs`;
  const factor =
    governor === undefined || governor.costFactor === 1 ? "" : `${governor.costFactor} × `;
  const machine = `estimate for ${factor}a 4.1 GHz Zen 5 core`;
  const share = (sum((l) => l.estimatedUs) / window.lengthUs) * 100;
  return [
    `${spec.name} from ${seconds(window.fromUs)} for ${seconds(window.lengthUs)}: ${rates}`,
    "",
    table(
      [
        ...["layer", "units", "steps", "open"],
        ...(governor === undefined ? [] : ["of r_on"]),
        ...["most open", "MAC", "saved", "est. µs"],
      ],
      layers.map(row),
    ),
    "",
    `${total}: ${share.toFixed(3)} % of one core (${machine})`,
    ...(governor === undefined ? [] : [budgetText(governor, 1e4 * share)]),
  ].join("\n");
}

function budgetText({ usPerSecond }: Governor, neededUs: number): string {
  const need = `${grouped(neededUs)} µs per second of stream`;
  const budget = `the budget of ${grouped(usPerSecond)} µs`;
  return neededUs <= usPerSecond
    ? `${need}, within ${budget}`
    : `${need}, over ${budget}: no layer may be narrowed further`;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Reads a time with its unit as microseconds for commander. */
function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be a number and us, ms, s, m or h.");
  const unitUs = { us: 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9 }[match[2] as "us"];
  return Math.round(Number(match[1]) * unitUs);
}
