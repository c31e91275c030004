/** Every operational failure has one of these codes; each code has one exit status. */
const exitStatusByCode = {
  USAGE: 64,
  BAD_DATA: 65,
  BAD_RECORDING: 65,
  BAD_EVENT: 65,
  BAD_CHECKPOINT: 65,
  FILE_NOT_FOUND: 65,
  BROKER_UNAVAILABLE: 69,
  BACKEND_UNAVAILABLE: 69,
  BAD_MODEL: 78,
  BAD_CONFIG: 78,
  INTERRUPTED: 130,
  FAILED: 1,
} as const;

export type ErrorCode = keyof typeof exitStatusByCode;

/**
 * An operational failure a caller may want to catch: bad input, a missing file, a broker that is
 * away. Programmer errors stay `TypeError` and `RangeError`.
 *
 * The message says what could not be done, what was expected, what came, and where.
 */
export class PolyphaseError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "PolyphaseError";
    this.code = code;
  }

  /** Process exit status of this failure (sysexits.h where it has a number for the case). */
  get exitStatus(): number {
    return exitStatusByCode[this.code];
  }
}
