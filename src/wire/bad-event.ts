import { PolyphaseError } from "../sensors/polyphase-error.ts";

/** The refusal of one message: "Cannot decode <schema>: <field> must be <expected>, got <actual>". */
export function badEvent(
  verb: "decode" | "encode",
  schemaName: string,
  field: string,
  expected: string,
  actual: unknown,
): PolyphaseError {
  return new PolyphaseError(
    "BAD_EVENT",
    `Cannot ${verb} ${schemaName}: ${field} must be ${expected}, got ${String(actual)}`,
  );
}
