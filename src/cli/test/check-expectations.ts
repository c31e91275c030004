import type { Prediction } from "../../fusion/prediction.ts";
import type {
  SaidPrediction,
  ScenarioOutcome,
  SeenStatus,
} from "../../streams/scenario/run-scenario.ts";
import type {
  ExpectedPrediction,
  ExpectedStatus,
  ExpectedWatermark,
  TestExpectations,
} from "./test-file.ts";

/** An expectation that was not met. */
export interface Mismatch {
  /** Within `expect` of the test. */
  readonly path: readonly (string | number)[];
  /** What was expected and what came, one line each; several of both for lists. */
  readonly lines: readonly string[];
}

/** Compares what a test expects with what happened; what is not named is not compared. */
export function checkExpectations(
  expected: TestExpectations,
  outcome: ScenarioOutcome,
): readonly Mismatch[] {
  const { predictions, statuses } = outcome;
  const mismatches: (Mismatch | undefined)[] = [
    number("taken", expected.taken, outcome.taken),
    number("fused", expected.fused, outcome.fused),
    counts("dropped", expected.dropped, outcome.dropped),
    counts("anomalies", expected.anomalies, outcome.anomalies),
    number("predictionCount", expected.predictionCount, predictions.length),
    expected.predictions &&
      list("predictions", expected.predictions, predictions, comparePrediction),
    expected.lastPrediction &&
      list("lastPrediction", [expected.lastPrediction], predictions.slice(-1), comparePrediction),
    expected.statuses && list("statuses", expected.statuses, statuses, compareStatus),
    ...(expected.watermarks ?? []).map((each, i) => watermark(i, each, outcome)),
  ];
  return mismatches.filter((mismatch) => mismatch !== undefined);
}

/** What a stream says in the end: the highest revision of each prediction, without retracted ones. */
function lastRevisions(predictions: readonly SaidPrediction[]): readonly Prediction[] {
  const last = new Map<string, Prediction>();
  for (const { prediction } of predictions) {
    last.set(JSON.stringify([prediction.stream, prediction.head, prediction.timeUs]), prediction);
  }
  return [...last.values()]
    .filter(({ retracted }) => retracted !== true)
    .map(({ revision: _, ...prediction }) => prediction)
    .sort((a, b) => a.timeUs - b.timeUs || (a.head < b.head ? -1 : 1));
}

/** Whether two tests say the same in the end, bit for bit. */
export function checkSame(
  name: string,
  expected: ScenarioOutcome,
  actual: ScenarioOutcome,
): Mismatch | undefined {
  const [left, right] = [lastRevisions(expected.predictions), lastRevisions(actual.predictions)];
  const at = left.findIndex((each, i) => JSON.stringify(each) !== JSON.stringify(right[i]));
  if (at < 0 && left.length === right.length) return undefined;
  const index = at < 0 ? left.length : at;
  const text = (prediction: Prediction | undefined): string =>
    prediction === undefined ? "nothing more" : predictionText({ atUs: undefined, prediction });
  return {
    path: ["sameAs"],
    lines: [
      `prediction ${index + 1} differs from that of "${name}":`,
      `- ${text(left[index])}`,
      `+ ${text(right[index])}`,
    ],
  };
}

function number(name: string, expected: number | undefined, actual: number): Mismatch | undefined {
  if (expected === undefined || expected === actual) return undefined;
  return { path: [name], lines: [`- ${name}: ${expected}`, `+ ${name}: ${actual}`] };
}

function counts(
  name: string,
  expected: Readonly<Record<string, number>> | undefined,
  actual: Readonly<Record<string, number>>,
): Mismatch | undefined {
  if (expected === undefined) return undefined;
  const reasons = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort();
  const different = reasons.filter((reason) => (expected[reason] ?? 0) !== (actual[reason] ?? 0));
  if (different.length === 0) return undefined;
  return {
    path: [name],
    lines: different.flatMap((reason) => [
      `- ${name}.${reason}: ${expected[reason] ?? 0}`,
      `+ ${name}.${reason}: ${actual[reason] ?? 0}`,
    ]),
  };
}

/** How one expected and one actual entry read, and whether they agree. */
interface Compared {
  readonly agrees: boolean;
  readonly expected: string;
  readonly actual: string;
}

/** Compares two lists entry by entry and shows those that differ, with the one before. */
function list<Expected, Actual>(
  name: string,
  expected: readonly Expected[],
  actual: readonly Actual[],
  compare: (expected: Expected | undefined, actual: Actual | undefined) => Compared,
): Mismatch | undefined {
  const length = Math.max(expected.length, actual.length);
  const compared = Array.from({ length }, (_, i) => compare(expected[i], actual[i]));
  const first = compared.findIndex(({ agrees }) => !agrees);
  if (first < 0) return undefined;
  const lines = compared.flatMap(({ agrees, expected: left, actual: right }, i) => {
    const place = `${String(i + 1).padStart(3)}`;
    if (agrees) return i === first - 1 ? [`  ${place} ${right}`] : [];
    return [
      ...(i < expected.length ? [`- ${place} ${left}`] : []),
      ...(i < actual.length ? [`+ ${place} ${right}`] : []),
    ];
  });
  const shown = lines.slice(0, linesMax);
  const more = lines.length - shown.length;
  const path = first < expected.length && name !== "lastPrediction" ? [name, first] : [name];
  return { path, lines: more > 0 ? [...shown, `… and ${more} lines more`] : shown };
}

const linesMax = 20;

function comparePrediction(
  expected: ExpectedPrediction | undefined,
  actual: SaidPrediction | undefined,
): Compared {
  const seen = actual && describePrediction(actual, expected);
  const wanted = expected && wantedPrediction(expected);
  const agrees =
    wanted !== undefined &&
    seen !== undefined &&
    Object.entries(wanted).every(([key, value]) => {
      if (key !== "values") return value === seen[key];
      return agree(expected!.values!, actual!.prediction.values, expected!.tolerance);
    });
  return { agrees, expected: fieldsText(wanted), actual: fieldsText(seen) };
}

type Fields = Readonly<Record<string, string>>;

function wantedPrediction(expected: ExpectedPrediction): Fields {
  const { at, time, values, tolerance: _, ...rest } = expected;
  const others = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...(at === undefined ? {} : { at: timeText(at) }),
    ...(time === undefined ? {} : { time: timeText(time) }),
    ...Object.fromEntries(others.map(([key, value]) => [key, String(value)])),
    ...(values === undefined ? {} : { values: numbersText(values) }),
  };
}

/** The fields that are asked for; without a question, those that tell predictions apart. */
function describePrediction(
  said: SaidPrediction,
  expected: ExpectedPrediction | undefined,
): Fields {
  const { prediction, atUs } = said;
  const all: Fields = {
    at: timeText(atUs),
    time: timeText(prediction.timeUs),
    head: prediction.head,
    label: prediction.label ?? "none",
    revision: String(prediction.revision ?? 0),
    retracted: String(prediction.retracted ?? false),
    values: numbersText(prediction.values),
  };
  const keys =
    expected === undefined ? ["time", "head", "label"] : Object.keys(wantedPrediction(expected));
  return Object.fromEntries(keys.map((key) => [key, all[key]!]));
}

function predictionText({ prediction }: { atUs: undefined; prediction: Prediction }): string {
  const { timeUs, head, label, values } = prediction;
  return `time ${timeText(timeUs)}, head ${head}, label ${label ?? "none"}, values ${values.join(" ")}`;
}

function agree(expected: readonly number[], actual: readonly number[], tolerance: number): boolean {
  return (
    expected.length === actual.length &&
    expected.every((value, i) => Math.abs(value - actual[i]!) <= tolerance)
  );
}

function compareStatus(
  expected: ExpectedStatus | undefined,
  actual: SeenStatus | undefined,
): Compared {
  const text = (at: number | undefined, sensor: string, is: string): string =>
    `${at === undefined ? "" : `at ${timeText(at)} `}${sensor} ${is}`;
  const left = expected && text(expected.at, expected.sensor, expected.is);
  const atUs = expected !== undefined && expected.at === undefined ? undefined : actual?.atUs;
  const right = actual && text(atUs, actual.sensor, actual.status);
  return { agrees: left === right, expected: left ?? "nothing", actual: right ?? "nothing" };
}

function watermark(
  index: number,
  { at, is }: ExpectedWatermark,
  { watermarks }: ScenarioOutcome,
): Mismatch | undefined {
  const actual = watermarks.findLast(({ atUs }) => atUs <= at)?.watermarkUs;
  const value = actual === undefined || actual === Number.NEGATIVE_INFINITY ? undefined : actual;
  if (value === is) return undefined;
  const text = (us: number | undefined): string => (us === undefined ? "none" : timeText(us));
  const when = `watermark at ${timeText(at)}`;
  return {
    path: ["watermarks", index],
    lines: [`- ${when}: ${text(is)}`, `+ ${when}: ${text(value)}`],
  };
}

function fieldsText(fields: Fields | undefined): string {
  if (fields === undefined) return "nothing";
  return Object.entries(fields)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

function numbersText(values: readonly number[]): string {
  return `[${values.map((value) => Number(value.toPrecision(7))).join(", ")}]`;
}

/** Microseconds in the unit in which they are short. */
function timeText(us: number): string {
  if (us !== 0 && us % 1e6 === 0) return `${us / 1e6}s`;
  return us % 100 === 0 ? `${us / 1000}ms` : `${us}us`;
}
