import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { linesOfStreams } from "./lines-of-streams.ts";

/** What a stream is expected to say. */
interface Expected {
  readonly lines: string[];
  /** Which lines of all these are, from 1. */
  readonly numbers: number[];
  /** How many of them have come. */
  at: number;
}

/** Compares lines of JSON with those that are expected, as they come: stream by stream. */
export class GoldenLines {
  readonly #name: string;
  readonly #expected: ReadonlyMap<string, Expected>;

  /**
   * @param name of the expected lines, for messages
   * @param text the expected lines, each with its end
   */
  constructor(name: string, text: string) {
    this.#name = name;
    this.#expected = expectedOf(text === "" || text.endsWith("\n") ? text : `${text}\n`);
  }

  /** @throws {PolyphaseError} FAILED at the first difference: line, field, expected, got */
  compare(text: string): void {
    for (const part of linesOfStreams(text)) {
      const expected = this.#expected.get(part.stream);
      for (const line of linesOf(part.text)) {
        const wanted = expected?.lines[expected.at];
        if (expected === undefined || wanted === undefined) {
          const count = expected?.lines.length ?? 0;
          const stream = part.stream === "" ? "no stream" : `stream ${part.stream}`;
          throw this.#failure(
            `it has ${count} lines of ${stream}, got another: ${shortened(line)}`,
          );
        }
        const number = expected.numbers[expected.at++]!;
        if (wanted !== line) {
          throw this.#failure(`line ${number} ${firstDifference(wanted, line)}`);
        }
      }
    }
  }

  /** @throws {PolyphaseError} FAILED if lines are missing */
  end(): void {
    const missing = [...this.#expected.values()].filter(({ at, lines }) => at < lines.length);
    const first = missing.sort((a, b) => a.numbers[a.at]! - b.numbers[b.at]!)[0];
    if (first === undefined) return;
    const number = first.numbers[first.at]!;
    throw this.#failure(`line ${number} must be ${shortened(first.lines[first.at]!)}, got nothing`);
  }

  #failure(what: string): PolyphaseError {
    return new PolyphaseError("FAILED", `Predictions are not those of ${this.#name}: ${what}`);
  }
}

function expectedOf(text: string): ReadonlyMap<string, Expected> {
  const all = new Map<string, Expected>();
  let number = 1;
  for (const { stream, text: lines } of linesOfStreams(text)) {
    const expected = all.get(stream) ?? { lines: [], numbers: [], at: 0 };
    all.set(stream, expected);
    for (const line of linesOf(lines)) {
      expected.lines.push(line);
      expected.numbers.push(number++);
    }
  }
  return all;
}

function linesOf(text: string): readonly string[] {
  return text.slice(0, -1).split("\n");
}

function firstDifference(expected: string, actual: string): string {
  try {
    const difference = differenceOf("", JSON.parse(expected), JSON.parse(actual));
    if (difference !== undefined) return difference;
  } catch {
    // What is no JSON is compared as text.
  }
  return `must be ${shortened(expected)}, got ${shortened(actual)}`;
}

/** `field must be …, got …` of the first field that differs; undefined if none does. */
function differenceOf(path: string, expected: unknown, actual: unknown): string | undefined {
  if (Object.is(expected, actual)) return undefined;
  if (!isObject(expected) || !isObject(actual)) {
    const text = (value: unknown): string => JSON.stringify(value) ?? "nothing";
    return `${path} must be ${text(expected)}, got ${text(actual)}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const name = Array.isArray(expected) ? `${path}[${key}]` : `${path}${path && "."}${key}`;
    const difference = differenceOf(name, expected[key], actual[key]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function shortened(line: string): string {
  return line.length <= 200 ? line : `${line.slice(0, 200)}…`;
}
