import { finished } from "node:stream/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FusionGraph } from "../fusion/fusion-graph.ts";
import { createGovernor, type Governor } from "../fusion/governor/governor.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { Governing, StreamGovernorDecision } from "../streams/fuse/governing.ts";
import { openOutput } from "./open-output.ts";

export interface BudgetOptions {
  /** µs per second of event time. */
  readonly budget?: number;
  /** Layer and floor. */
  readonly govern: readonly (readonly [string, number])[];
  readonly costFactor: number;
  readonly decisions?: string;
}

/** Floor of a layer that --govern names without one. */
const usualFloor = 0.25;

const governHelp = `layer that --budget may narrow, to this share of its r_on at least (${usualFloor}); repeatable`;

/** Options that hold compute to a budget. */
export function addBudgetOptions(command: Command): Command {
  return command
    .option(
      "--budget <time/s>",
      "estimated CPU time per second of a stream, like 500us/s: narrow open ratios to stay within",
      timePerSecond,
    )
    .addOption(
      new Option("--govern <layer[=floor]>", governHelp)
        .argParser(layerFloor)
        .default([], "those the model marks"),
    )
    .option(
      "--cost-factor <x>",
      "CPU time here over that of the machine the estimates are for",
      positive,
      1,
    );
}

/** Adds --decisions for commands that run a model. */
export function addDecisionsOption(command: Command): Command {
  return command.option(
    "--decisions <file>",
    "write what --budget changed, one JSON object per line",
  );
}

/** What a run is held to, and where its decisions go. */
export interface Budgeting {
  /** To be handed to the run; empty without a budget. */
  readonly request: { readonly governing?: Governing };
  /** Completes the file of decisions. */
  close(): Promise<void>;
}

/**
 * The governor that the options ask for.
 *
 * @throws {PolyphaseError} USAGE or BAD_CONFIG; FAILED if the file of decisions cannot be written
 */
export async function openBudget(graph: FusionGraph, options: BudgetOptions): Promise<Budgeting> {
  const governor = governorOf(graph, options);
  if (options.decisions === undefined) {
    return {
      request: governor === undefined ? {} : { governing: { governor } },
      close: async () => undefined,
    };
  }
  if (governor === undefined) {
    throw new PolyphaseError("USAGE", "Cannot write --decisions: a --budget must be given");
  }
  const file = await openOutput(options.decisions);
  const onDecision = (decision: StreamGovernorDecision): void => {
    file.write(`${JSON.stringify(decision)}\n`);
  };
  return {
    request: { governing: { governor, onDecision } },
    close: () => finished(file.end()),
  };
}

/**
 * @returns undefined without a budget
 * @throws {PolyphaseError} USAGE or BAD_CONFIG
 */
export function governorOf(
  graph: FusionGraph,
  { budget, govern, costFactor }: BudgetOptions,
): Governor | undefined {
  if (budget === undefined) {
    if (govern.length === 0 && costFactor === 1) return undefined;
    throw new PolyphaseError("USAGE", "Cannot govern layers: a --budget must be given");
  }
  const floors = govern.length === 0 ? {} : { floors: new Map(govern) };
  return createGovernor(graph, { usPerSecond: budget, costFactor, ...floors });
}

/** The options that ask for the same budget; empty without one. */
export function budgetText({ budget, govern, costFactor }: BudgetOptions): string {
  if (budget === undefined) return "";
  const layers = govern.map(([name, floor]) => ` --govern ${name}=${floor}`).sort();
  const factor = costFactor === 1 ? "" : ` --cost-factor ${costFactor}`;
  return `--budget ${budget}us/s${layers.join("")}${factor}`;
}

/**
 * A budget decides what is computed: a recorded run is that run again only under its own.
 *
 * @param recorded what the recording says of its budget
 * @throws {PolyphaseError} USAGE if the replay has another
 */
export function checkBudget(path: string, recorded: string | undefined, wanted = ""): void {
  if ((recorded ?? "") === wanted) return;
  const [was, is] = [recorded ?? "", wanted].map((text) => (text === "" ? "no --budget" : text));
  throw new PolyphaseError(
    "USAGE",
    `Cannot replay ${path} as it was recorded: it ran with ${was}, asked for is ${is}; ask for the same, or merge its items anew with --by log`,
  );
}

function timePerSecond(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms)\/s$/.exec(text);
  const us = Number(match?.[1]) * (match?.[2] === "ms" ? 1000 : 1);
  if (!(us > 0)) throw new InvalidArgumentError("It must be like 500us/s or 2ms/s, above 0.");
  return us;
}

function layerFloor(
  text: string,
  previous: BudgetOptions["govern"],
): readonly (readonly [string, number])[] {
  const [name = "", floor = String(usualFloor)] = text.split("=");
  const share = floor.trim() === "" ? Number.NaN : Number(floor);
  if (!(share > 0 && share <= 1)) {
    throw new InvalidArgumentError("It must be layer or layer=floor with floor in (0, 1].");
  }
  return [...previous, [name, share]];
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("It must be above 0.");
  return value;
}
