import { PolyphaseError } from "../sensors/polyphase-error.ts";
import { hasOscillator } from "./gate.ts";
import { gateCount, type LayerParameters } from "./layer-parameters.ts";

/** What the kernel that is to run the layer can do. */
export interface LayerLimits {
  /** True if every unit is computed at every event, so that closed ones can leak (α > 0, Eq. 6). */
  readonly computesClosedUnits: boolean;
}

/**
 * Refuses a layer that cannot be computed with, so that no kernel has to look at a value again.
 *
 * @throws {PolyphaseError} BAD_MODEL naming the field, what it must be and what it is.
 */
export function validateLayerParameters(parameters: LayerParameters, limits: LayerLimits): void {
  const { inputs, units, cell } = parameters;
  requireCount("inputs", inputs);
  requireCount("units", units);
  requireLeak(parameters.leak, limits);
  const columns = gateCount(cell) * units;
  requireFinite("inputWeights", parameters.inputWeights, inputs * columns);
  requireFinite("recurrentWeights", parameters.recurrentWeights, units * columns);
  requireFinite("bias", parameters.bias, columns);
  if (cell === "phased-gru") {
    if (parameters.peepholes !== undefined) refuse("peepholes", "absent for phased-gru", "values");
    requireFinite("recurrentBias", parameters.recurrentBias, units);
  } else {
    if (parameters.recurrentBias !== undefined) {
      refuse("recurrentBias", `absent for ${cell}`, "values");
    }
    requireFinite("peepholes", parameters.peepholes, 3 * units);
  }
  requireGate(parameters);
}

function requireGate(parameters: LayerParameters): void {
  const length = hasOscillator(parameters.gate) ? parameters.units : 0;
  const { periodUs, shiftUs, openRatio } = parameters;
  requireLength("periodUs", periodUs, length);
  requireLength("shiftUs", shiftUs, length);
  requireOpenRatio(openRatio, length);
  for (let j = 0; j < length; j++) {
    const period = periodUs[j]!;
    // A period so small that 1/τ overflows has no phase either.
    if (!(period > 0 && Number.isFinite(period) && Number.isFinite(1 / period))) {
      refuse(`periodUs[${j}]`, "a finite number > 0", period);
    }
    if (!Number.isFinite(shiftUs[j])) refuse(`shiftUs[${j}]`, "finite", shiftUs[j]);
  }
}

/**
 * @param length units of a layer with oscillators; 0 for one without
 * @throws {PolyphaseError} BAD_MODEL
 */
export function requireOpenRatio(openRatio: ArrayLike<number>, length: number): void {
  requireLength("openRatio", openRatio, length);
  for (let j = 0; j < length; j++) {
    const ratio = openRatio[j]!;
    if (!(ratio > 0 && ratio <= 1 && Number.isFinite(2 / ratio))) {
      refuse(`openRatio[${j}]`, "in (0, 1]", ratio);
    }
  }
}

function requireLeak(leak: number, limits: LayerLimits): void {
  if (!(leak >= 0 && leak <= 1)) refuse("leak", "in [0, 1]", leak);
  if (leak > 0 && !limits.computesClosedUnits) {
    refuse(
      "leak",
      "0 in a kernel that skips closed units (they would change at every event)",
      leak,
    );
  }
}

function requireCount(field: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value > 0)) refuse(field, "a whole number > 0", value);
}

function requireFinite(field: string, values: ArrayLike<number> | undefined, length: number): void {
  if (values === undefined) refuse(field, `${length} numbers`, "none");
  requireLength(field, values, length);
  if (values instanceof Float32Array && areFinite(values)) return;
  for (let i = 0; i < length; i++) {
    // Weights are computed with in float32: 1e39 is as infinite as Infinity.
    if (!Number.isFinite(Math.fround(values[i]!))) {
      refuse(`${field}[${i}]`, "finite in float32", values[i]);
    }
  }
}

/** By what the engine has ready-made: a loop that runs for the first time takes milliseconds. */
function areFinite(values: Float32Array): boolean {
  const { NaN: nan, POSITIVE_INFINITY: above, NEGATIVE_INFINITY: below } = Number;
  return !(values.includes(nan) || values.includes(above) || values.includes(below));
}

function requireLength(field: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length) refuse(field, `${length} numbers`, values.length);
}

function refuse(field: string, expected: string, actual: unknown): never {
  throw new PolyphaseError(
    "BAD_MODEL",
    `Cannot load layer: ${field} must be ${expected}, got ${String(actual)}`,
  );
}
