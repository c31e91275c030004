import { badEvent } from "./bad-event.ts";

/** The JSON object in `bytes`; its fields are still unchecked. Throws BAD_EVENT for anything else. */
export function parseJsonObject(
  schemaName: string,
  bytes: Uint8Array,
): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badEvent("decode", schemaName, "payload", "JSON in UTF-8", (cause as Error).message);
  }
  if (typeof value !== "object" || value === null) {
    throw badEvent("decode", schemaName, "payload", "a JSON object", value);
  }
  return value as Readonly<Record<string, unknown>>;
}
