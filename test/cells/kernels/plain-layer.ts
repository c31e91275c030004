import { hasOscillator, openness, phase } from "../../../src/cells/gate.ts";
import { gateCount, type LayerParameters } from "../../../src/cells/layer-parameters.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** k of every unit at t, straight from Eq. 6. */
export function plainOpenness(p: LayerParameters, timeUs: number): number[] {
  return Array.from({ length: p.units }, (_, j) => {
    if (!hasOscillator(p.gate)) return 1;
    const phi = phase(timeUs, p.periodUs[j]!, p.shiftUs[j]!);
    if (p.gate === "square") return phi < p.openRatio[j]! ? 1 : 0;
    return openness(phi, p.openRatio[j]!, 0);
  });
}

/** One event of a layer in float64, every unit, written as the equations are, in place. */
export function plainStep(
  p: LayerParameters,
  c: Float64Array,
  h: Float64Array,
  x: ArrayLike<number>,
  k: readonly number[],
): void {
  const { inputs, units } = p;
  const columns = gateCount(p.cell) * units;
  const oldH = h.slice();
  for (let j = 0; j < units; j++) {
    const input = (g: number): number => {
      let sum = 0;
      for (let d = 0; d < inputs; d++) sum += x[d]! * p.inputWeights[d * columns + g * units + j]!;
      return sum;
    };
    const recurrent = (g: number): number => {
      let sum = 0;
      for (let m = 0; m < units; m++) {
        sum += oldH[m]! * p.recurrentWeights[m * columns + g * units + j]!;
      }
      return sum;
    };
    const z = (g: number): number => p.bias[g * units + j]! + input(g) + recurrent(g);
    if (p.cell === "phased-gru") {
      const r = sigmoid(z(0));
      const update = sigmoid(z(1));
      const n = Math.tanh(
        input(2) + p.bias[2 * units + j]! + r * (recurrent(2) + p.recurrentBias![j]!),
      );
      h[j] = k[j]! * ((1 - update) * n + update * oldH[j]!) + (1 - k[j]!) * oldH[j]!;
      continue;
    }
    const [wci, wcf, wco] = [0, 1, 2].map((g) => p.peepholes![g * units + j]!);
    const i = sigmoid(z(0) + wci! * c[j]!);
    const f = sigmoid(z(1) + wcf! * c[j]!);
    const nextC = f * c[j]! + i * Math.tanh(z(2));
    const o = sigmoid(z(3) + wco! * nextC);
    c[j] = k[j]! * nextC + (1 - k[j]!) * c[j]!;
    h[j] = k[j]! * o * Math.tanh(nextC) + (1 - k[j]!) * oldH[j]!;
  }
}
