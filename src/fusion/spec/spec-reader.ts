import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/**
 * Reads one JSON object field by field and complains with the path of what is wrong. Fields that
 * nobody asked for are refused by `end()`: a misspelt option must not be silently ignored.
 */
export class SpecReader {
  readonly path: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #asked: Set<string> = new Set();

  constructor(value: unknown, path: string) {
    this.path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw complaint(path, "an object", value);
    }
    this.#fields = value as Record<string, unknown>;
  }

  field(name: string): unknown {
    this.#asked.add(name);
    return this.#fields[name];
  }

  fieldPath(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  string(name: string, fallback?: string): string {
    const value = this.field(name) ?? fallback;
    if (typeof value !== "string") throw complaint(this.fieldPath(name), "a string", value);
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback?: T): T {
    const value = this.field(name) ?? fallback;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      throw complaint(this.fieldPath(name), `one of ${choices.join(", ")}`, value);
    }
    return found;
  }

  number(name: string, expected: NumberRange, fallback?: number): number {
    return checkedNumber(this.fieldPath(name), this.field(name) ?? fallback, expected);
  }

  numbers(name: string, expected: NumberRange): readonly number[] {
    const items = this.#array(name, []);
    return items.map((item, i) => checkedNumber(`${this.fieldPath(name)}[${i}]`, item, expected));
  }

  strings(name: string): readonly string[] {
    return this.#array(name).map((item, i) => {
      if (typeof item === "string") return item;
      throw complaint(`${this.fieldPath(name)}[${i}]`, "a string", item);
    });
  }

  objects(name: string): readonly SpecReader[] {
    return this.#array(name).map(
      (item, i) => new SpecReader(item, `${this.fieldPath(name)}[${i}]`),
    );
  }

  object(name: string): SpecReader {
    return new SpecReader(this.field(name), this.fieldPath(name));
  }

  /** Strings, numbers and booleans by name; an absent field is an empty record. */
  record(name: string): Readonly<Record<string, string | number | boolean>> {
    const reader = new SpecReader(this.field(name) ?? {}, this.fieldPath(name));
    const entries = Object.keys(reader.#fields).map((key) => {
      const value = reader.field(key);
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
        return [key, value] as const;
      }
      throw complaint(reader.fieldPath(key), "a string, number or boolean", value);
    });
    return Object.fromEntries(entries);
  }

  /** Refuses fields that were never asked for. */
  end(): void {
    const unknown = Object.keys(this.#fields).find((name) => !this.#asked.has(name));
    if (unknown === undefined) return;
    const known = [...this.#asked].join(", ");
    throw specError(`${this.fieldPath(unknown)} is not a known field; known are ${known}`);
  }

  #array(name: string, fallback?: readonly unknown[]): readonly unknown[] {
    const value = this.field(name) ?? fallback;
    if (!Array.isArray(value)) throw complaint(this.fieldPath(name), "a list", value);
    return value;
  }
}

/** What a number must be; `text` says it in the complaint. */
export interface NumberRange {
  readonly text: string;
  readonly holds: (value: number) => boolean;
}

export const positiveInteger: NumberRange = {
  text: "a whole number of at least 1",
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
};

export const wholeMicroseconds: NumberRange = {
  text: "a whole number of microseconds",
  holds: (value) => Number.isSafeInteger(value),
};

export const finiteNumber: NumberRange = {
  text: "a finite number",
  holds: (value) => Number.isFinite(value),
};

export const positiveNumber: NumberRange = {
  text: "a number above 0",
  holds: (value) => Number.isFinite(value) && value > 0,
};

export const openRatioRange: NumberRange = {
  text: "a number in (0, 1]",
  holds: (value) => value > 0 && value <= 1,
};

function checkedNumber(path: string, value: unknown, expected: NumberRange): number {
  if (typeof value !== "number" || !expected.holds(value)) {
    throw complaint(path, expected.text, value);
  }
  return value;
}

function complaint(path: string, expected: string, value: unknown): PolyphaseError {
  const got = value === undefined ? "nothing" : JSON.stringify(value)?.slice(0, 80);
  return specError(`${path === "" ? "the document" : path} must be ${expected}, got ${got}`);
}

/** The error of a graph specification that cannot be used. */
export function specError(what: string): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot use graph: ${what}`);
}
