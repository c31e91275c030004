import type { TimeUs } from "../sensors/time.ts";
import { badEvent } from "./bad-event.ts";
import { parseJsonObject } from "./parse-json-object.ts";
import { schemaNames } from "./schema.ts";
import { checkTimeUs } from "./wire-time.ts";

const schemaName = schemaNames.decision;

/**
 * Something that was decided about a stream and that its input alone does not tell. It takes effect
 * after all events before `timeUs` and before all others, and is recorded, so that a replay does the
 * same at the same place. What else it says is up to its kind.
 */
export interface Decision {
  readonly kind: string;
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly [field: string]: unknown;
}

/** JSON Schema of a decision, as recordings embed it. */
export const decisionJsonSchema: string = JSON.stringify({
  title: schemaName,
  description: "Something that was decided about a stream between two of its ticks",
  type: "object",
  required: ["timeUs", "kind"],
  properties: {
    timeUs: { type: "integer", minimum: 0, description: "event time in microseconds" },
    kind: { type: "string", description: "what was decided; other fields depend on it" },
  },
});

/** A decision as JSON; its stream is the channel's. */
export function encodeDecision({ stream: _, ...decision }: Decision): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", decision["timeUs"] as TimeUs);
  return new TextEncoder().encode(JSON.stringify(decision));
}

/**
 * The inverse of {@link encodeDecision}.
 *
 * @throws {PolyphaseError} BAD_EVENT
 */
export function decodeDecision(bytes: Uint8Array, stream: string): Decision {
  const { timeUs, kind, ...rest } = parseJsonObject(schemaName, bytes);
  if (typeof timeUs !== "number") throw refuse("timeUs", "a number", timeUs);
  checkTimeUs("decode", schemaName, "timeUs", timeUs);
  if (typeof kind !== "string") throw refuse("kind", "a string", kind);
  return { ...rest, kind, stream, timeUs };
}

function refuse(field: string, expected: string, actual: unknown): Error {
  return badEvent("decode", schemaName, field, expected, actual);
}
