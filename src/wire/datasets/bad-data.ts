import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** "Cannot read <what>: <field> must be <expected>, got <actual>". */
export function badData(
  what: string,
  field: string,
  expected: string,
  actual: unknown,
): PolyphaseError {
  const message = `Cannot read ${what}: ${field} must be ${expected}, got ${String(actual)}`;
  return new PolyphaseError("BAD_DATA", message);
}
