import { badEvent } from "./bad-event.ts";

/**
 * Throws unless `values` may be used: NaN or an infinity would stay in recurrent state for ever, so
 * it is refused here. `size` is the length the channel promises, where it is known.
 */
export function checkValues(
  verb: "decode" | "encode",
  schemaName: string,
  values: Float32Array,
  size: number | undefined,
): void {
  const { length } = values;
  if (length !== (size ?? length) || length === 0) {
    const wanted = size === undefined ? "not empty" : `${size} numbers`;
    throw badEvent(verb, schemaName, "values", wanted, `${length} numbers`);
  }
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i])) {
      throw badEvent(verb, schemaName, `values[${i}]`, "finite", values[i]);
    }
  }
}
