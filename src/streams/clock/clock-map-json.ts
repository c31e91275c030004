import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { schemaNames } from "../../wire/schema.ts";
import type { ClockMap } from "./clock-map.ts";

const fields = [
  "version",
  "fromUs",
  "mappedUs",
  "slewRate",
  "slewUntilUs",
  "rate",
] as const satisfies readonly (keyof ClockMap)[];
/** Of the message; `version` counts the maps of a sensor. */
const format = 1;

/** JSON Schema of a clock map, as recordings embed it. */
export const clockMapJsonSchema: string = JSON.stringify({
  title: schemaNames.clockMap,
  description: "How a sensor's time becomes event time from fromUs (sensor time) on",
  type: "object",
  required: ["format", ...fields],
  properties: {
    format: { const: format },
    ...Object.fromEntries(fields.map((field) => [field, { type: "number" }])),
  },
});

/** A clock map as JSON; its stream and sensor are the channel's. */
export function encodeClockMap(map: ClockMap): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ format, ...map }));
}

/**
 * The inverse of {@link encodeClockMap}.
 *
 * @throws {PolyphaseError} BAD_EVENT
 */
export function decodeClockMap(bytes: Uint8Array): ClockMap {
  const refuse = (what: string): PolyphaseError =>
    new PolyphaseError("BAD_EVENT", `Cannot decode ${schemaNames.clockMap}: ${what}`);
  let map: Record<string, unknown>;
  try {
    map = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse(`payload must be JSON in UTF-8, got ${(cause as Error).message}`);
  }
  if (map["format"] !== format) throw refuse(`format must be ${format}, got ${map["format"]}`);
  for (const field of fields) {
    if (typeof map[field] !== "number")
      throw refuse(`${field} must be a number, got ${map[field]}`);
  }
  const { format: _, ...clockMap } = map;
  return clockMap as unknown as ClockMap;
}
