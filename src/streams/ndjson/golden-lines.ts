import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** Compares lines of JSON with those that are expected, as they come. */
export class GoldenLines {
  readonly #name: string;
  readonly #expected: readonly string[];
  #at = 0;

  /**
   * @param name of the expected lines, for messages
   * @param text the expected lines, each with its end
   */
  constructor(name: string, text: string) {
    this.#name = name;
    this.#expected = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  }

  /** @throws {PolyphaseError} FAILED at the first difference: line, field, expected, got */
  compare(text: string): void {
    for (const line of text.slice(0, -1).split("\n")) {
      const expected = this.#expected[this.#at++];
      if (expected === line) continue;
      throw this.#failure(
        expected === undefined
          ? `must not be there: ${this.#name} has ${this.#expected.length}; got ${shortened(line)}`
          : firstDifference(expected, line),
      );
    }
  }

  /** @throws {PolyphaseError} FAILED if lines are missing */
  end(): void {
    const expected = this.#expected[this.#at];
    if (expected === undefined) return;
    this.#at++;
    throw this.#failure(`must be ${shortened(expected)}, got nothing`);
  }

  #failure(what: string): PolyphaseError {
    return new PolyphaseError(
      "FAILED",
      `Predictions are not those of ${this.#name}: line ${this.#at} ${what}`,
    );
  }
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
