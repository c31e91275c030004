const tableSteps = 4096;
/** Table entries are rounded to this step, which hides the last bits of an engine's Math.log. */
const entryStep = 2 ** -30;

/** The photoreceptor: brightness in 0 … max to logarithmic brightness, from a table. */
export interface LogResponse {
  /** Largest brightness the response is defined for. */
  readonly max: number;
  readonly table: Float64Array;
}

/**
 * Tabulates ln(offset + gain·brightness) for brightness 0 … max in 4096 steps; the table and not
 * `Math.log` is the model, so that simulated events have the same bits on every engine.
 *
 * @param gain Negative for a negative (dark on bright), as the digits of N-MNIST appear.
 */
export function createLogResponse(offset: number, gain: number, max: number): LogResponse {
  if (!(offset > 0 && offset + gain * max > 0)) {
    throw new RangeError(
      `Cannot tabulate log response: offset + gain·brightness must be > 0 in 0 … ${max}, got offset ${offset}, gain ${gain}`,
    );
  }
  const table = Float64Array.from({ length: tableSteps + 2 }, (_, i) => {
    const brightness = (max * Math.min(i, tableSteps)) / tableSteps;
    return Math.round(Math.log(offset + gain * brightness) / entryStep) * entryStep;
  });
  return { max, table };
}

/** out[p] = response of brightness[p], linear between table entries, for values clamped to 0 … max. */
export function applyLogResponse(
  out: Float64Array,
  brightness: Float64Array,
  { max, table }: LogResponse,
): void {
  const scale = tableSteps / max;
  for (let p = 0; p < out.length; p += 1) {
    const place = Math.min(Math.max(brightness[p]! * scale, 0), tableSteps);
    const entry = Math.floor(place);
    const low = table[entry]!;
    out[p] = low + (place - entry) * (table[entry + 1]! - low);
  }
}
