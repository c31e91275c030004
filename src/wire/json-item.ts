import { badEvent } from "./bad-event.ts";
import { parseJsonObject } from "./parse-json-object.ts";
import { checkTimeUs } from "./wire-time.ts";

/** An item that travels as a JSON object: checked are the fields that all of them have. */
export interface JsonItem {
  readonly timeUs: number;
  readonly seq: number;
  readonly [field: string]: unknown;
}

/**
 * The object in `bytes`.
 *
 * @throws {PolyphaseError} BAD_EVENT if it is no JSON object in UTF-8, `timeUs` is not whole
 *   microseconds or `seq` not a whole number
 */
export function decodeJsonItem(bytes: Uint8Array, schemaName: string): JsonItem {
  const refuse = (field: string, expected: string, actual: unknown): Error =>
    badEvent("decode", schemaName, field, expected, actual);
  const object = parseJsonObject(schemaName, bytes);
  const { timeUs, seq } = object;
  if (typeof timeUs !== "number") throw refuse("timeUs", "a number", timeUs);
  checkTimeUs("decode", schemaName, "timeUs", timeUs);
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 0) {
    throw refuse("seq", "a whole number >= 0", seq);
  }
  return { ...object, timeUs, seq };
}
