import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import { seededWeights } from "../../fusion/presets/seeded-weights.ts";
import { parseGraphSpec } from "../../fusion/spec/parse-graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { Random } from "../../sensors/random.ts";
import { type StoredModel, storedModel } from "../../state/model-directory.ts";
import {
  runScenario,
  type Scenario,
  type ScenarioOutcome,
} from "../../streams/scenario/run-scenario.ts";
import { chooseModel, prepareModel } from "../load-model.ts";
import { buildInputs } from "./build-inputs.ts";
import { checkExpectations, checkSame, type Mismatch } from "./check-expectations.ts";
import type { PlacedTestFile } from "./read-test-file.ts";
import type { TestFile } from "./test-file.ts";

/** How the oscillators of a graph without trained weights begin. */
const seededOscillator = { periodUs: [10_000, 200_000], openRatio: 0.2 } as const;

/** What became of one test. */
export interface TestResult {
  readonly name: string;
  /** `file:line:column`. */
  readonly place: string;
  /** Unmet expectations with their places; empty for a test that passes. */
  readonly failures: readonly (Mismatch & { readonly place: string })[];
}

/**
 * Runs the tests of a file whose names contain `filter`, one after the other.
 *
 * @throws {PolyphaseError} BAD_CONFIG or BAD_MODEL for a file that cannot be run
 */
export async function* runTestFile(
  placed: PlacedTestFile,
  filter: string,
): AsyncGenerator<TestResult, void, void> {
  const { file } = placed;
  const model = await modelOf(placed);
  checkSensors(placed, model);
  const outcomes = new Map<string, ScenarioOutcome>();
  const outcomeOf = async (index: number): Promise<ScenarioOutcome> => {
    const { name } = file.tests[index]!;
    const outcome = outcomes.get(name) ?? (await runTest(placed, index, model));
    outcomes.set(name, outcome);
    return outcome;
  };
  for (const [index, { name, expect }] of file.tests.entries()) {
    if (!name.includes(filter)) continue;
    const outcome = await outcomeOf(index);
    const mismatches = [...checkExpectations(expect, outcome)];
    if (expect.sameAs !== undefined) {
      const other = file.tests.findIndex((test) => test.name === expect.sameAs);
      if (other < 0) throw unknownTest(placed, index, expect.sameAs);
      const same = checkSame(expect.sameAs, await outcomeOf(other), outcome);
      if (same !== undefined) mismatches.push(same);
    }
    const failures = mismatches.map((mismatch) => {
      const place = placed.place(["tests", index, "expect", ...mismatch.path]);
      return { ...mismatch, place };
    });
    yield { name, place: placed.place(["tests", index, "name"]), failures };
  }
}

async function runTest(
  placed: PlacedTestFile,
  index: number,
  model: FusionModel,
): Promise<ScenarioOutcome> {
  const { file } = placed;
  const inputs = await buildInputs(placed, index, model.graph.spec);
  const lastUs = inputs.at(-1)?.atUs ?? 0;
  const untilUs = file.tests[index]!.until ?? lastUs;
  if (untilUs < lastUs) {
    const where = placed.place(["tests", index, "until"]);
    const reason = `until must not be before the last input, at ${lastUs / 1000}ms`;
    throw new PolyphaseError("BAD_CONFIG", `${where}: ${reason}`);
  }
  return runScenario({ ...scenarioOf(file, model), inputs, untilUs });
}

function scenarioOf(file: TestFile, model: FusionModel): Omit<Scenario, "inputs" | "untilUs"> {
  const { limits, late, sensors } = file;
  return {
    model,
    merge: {
      sensors: model.graph.sensors.map(({ spec: { name } }) => ({
        name,
        latenessUs: sensors[name]?.lateness ?? 0,
        joined: sensors[name]?.joined ?? true,
      })),
      waitingMax: limits.waiting,
      ...(limits.future === undefined ? {} : { futureUsMax: limits.future }),
      ...(limits.backward === undefined ? {} : { backwardUsMin: limits.backward }),
      ...(limits.duplicates === undefined ? {} : { duplicateItemsMax: limits.duplicates }),
    },
    late:
      late.policy === "rewind"
        ? { policy: "rewind", horizonUs: late.horizon, horizonBytesMax: 64 * 1024 * 1024 }
        : { policy: late.policy },
    idle: Object.entries(sensors).flatMap(([name, { idle }]) =>
      idle === undefined ? [] : [{ name, idleUs: idle }],
    ),
    clock: (sensor) => sensors[sensor]?.clock ?? "trusted",
  };
}

async function modelOf(placed: PlacedTestFile): Promise<FusionModel> {
  const { path, file } = placed;
  try {
    const stored =
      file.graph === undefined
        ? await namedModel(dirname(path), file.model!, file.seed)
        : await seededModel(resolve(dirname(path), file.graph), file.seed);
    // Frames are encoded at once, so that the virtual clock stands still meanwhile.
    return await prepareModel(stored, { kernel: "auto", encoder: "typescript" }, () => undefined);
  } catch (error) {
    if (!(error instanceof PolyphaseError)) throw error;
    const where = placed.place([file.graph === undefined ? "model" : "graph"]);
    throw new PolyphaseError("BAD_CONFIG", `${where}: ${error.message}`, { cause: error });
  }
}

/** A path is meant from the file; a plain name may be that of a shipped model or preset. */
async function namedModel(folder: string, name: string, seed: number): Promise<StoredModel> {
  const isPath = /[/\\]/.test(name);
  return (await chooseModel(isPath ? resolve(folder, name) : name, seed)).stored;
}

async function seededModel(path: string, seed: number): Promise<StoredModel> {
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw new PolyphaseError("BAD_MODEL", `Cannot read ${path}: ${cause.message}`, { cause });
  });
  const spec = parseGraphSpec(parseJson(path, text));
  const oscillators = Object.fromEntries(spec.layers.map(({ name }) => [name, seededOscillator]));
  return storedModel(spec, seededWeights(spec, oscillators, new Random(seed)));
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw new PolyphaseError("BAD_MODEL", `Cannot read ${path}: ${message}`, { cause });
  }
}

/** Settings of a sensor that the model does not have are a typing error. */
function checkSensors(placed: PlacedTestFile, { graph }: FusionModel): void {
  const names = graph.sensors.map(({ spec }) => spec.name);
  for (const name of Object.keys(placed.file.sensors)) {
    if (names.includes(name)) continue;
    const where = placed.place(["sensors", name]);
    const reason = `the model has no sensor ${name}, but ${names.join(", ")}`;
    throw new PolyphaseError("BAD_CONFIG", `${where}: ${reason}`);
  }
}

function unknownTest(placed: PlacedTestFile, index: number, name: string): PolyphaseError {
  const where = placed.place(["tests", index, "expect", "sameAs"]);
  const names = placed.file.tests.map((test) => JSON.stringify(test.name)).join(", ");
  return new PolyphaseError("BAD_CONFIG", `${where}: there is no test "${name}", but ${names}`);
}
