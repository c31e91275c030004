import { PolyphaseError } from "../../polyphase-error.ts";

/** One column of a structured array. */
export interface NpyField {
  readonly name: string;
  /** Bytes from the beginning of a record. */
  readonly offset: number;
  /** NumPy kind: `i`, `u`, `b` (bool), `f`, `V`. */
  readonly kind: string;
  readonly bytes: number;
  readonly isLittleEndian: boolean;
}

/** Layout of a one-dimensional structured array. */
export interface NpyLayout {
  readonly fields: readonly NpyField[];
  readonly recordBytes: number;
  readonly records: number;
}

const fieldPattern = /\(\s*'([^']*)'\s*,\s*'([<>|=]?)([iubfV?])(\d*)'\s*\)/g;

/**
 * Parses the dictionary of an NPY header whose `descr` is a list of named, scalar fields.
 *
 * @throws {PolyphaseError} BAD_DATA for anything else: plain arrays, nested or aligned types,
 *   more than one dimension
 */
export function parseNpyHeader(text: string): NpyLayout {
  const list = /'descr'\s*:\s*\[(.*)\]\s*,\s*'fortran_order'/s.exec(text)?.[1];
  const records = /'shape'\s*:\s*\((\d+),\s*\)/.exec(text)?.[1];
  if (list === undefined || records === undefined) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read NPY events: the array must be structured and of one dimension, got ${text.trim()}`,
    );
  }
  const fields: NpyField[] = [];
  let offset = 0;
  for (const [, name, order, kind, digits] of list.matchAll(fieldPattern)) {
    const bytes = digits === "" ? 1 : Number(digits);
    fields.push({
      name: name!,
      offset,
      kind: kind === "?" ? "b" : kind!,
      bytes,
      isLittleEndian: order !== ">",
    });
    offset += bytes;
  }
  if (list.replace(fieldPattern, "").replace(/[\s,]/g, "") !== "" || fields.length === 0) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read NPY events: fields must be scalars, got [${list.trim()}]`,
    );
  }
  return { fields, recordBytes: offset, records: Number(records) };
}
