import { badEvent } from "./bad-event.ts";

/**
 * The numbers of a vector message, checked: NaN or an infinity would stay in recurrent state for
 * ever, so it is refused here. `size` is the length the channel promises, where it is known.
 */
export function checkedValues(
  verb: "decode" | "encode",
  schemaName: string,
  values: ArrayLike<number>,
  size: number | undefined,
): Float32Array {
  const expected = size ?? values.length;
  if (values.length !== expected || expected === 0) {
    const wanted = size === undefined ? "not empty" : `${size} numbers`;
    throw badEvent(verb, schemaName, "values", wanted, `${values.length} numbers`);
  }
  const checked = new Float32Array(expected);
  for (let i = 0; i < expected; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      throw badEvent(verb, schemaName, `values[${i}]`, "finite", value);
    }
    checked[i] = value;
  }
  return checked;
}
