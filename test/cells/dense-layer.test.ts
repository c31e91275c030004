import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dense } from "../../src/cells/dense/dense.ts";
import { createDenseLayer } from "../../src/cells/dense/dense-layer.ts";
import { Random } from "../../src/sensors/random.ts";

/** Numbers of all magnitudes, and now and then what is not finite or a zero of either sign. */
function numbers(random: Random, length: number): Float64Array {
  const odd = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324];
  return Float64Array.from({ length }, () => {
    if (random.below(50) === 0) return odd[random.below(odd.length)]!;
    return random.normal() * 2 ** (random.below(60) - 30);
  });
}

describe("createDenseLayer()", () => {
  it.each(["wasm", "typescript"] as const)("%s gives the bits of dense()", (engine) => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        (seed, rows, columns) => {
          const random = new Random(seed);
          const weights = numbers(random, rows * columns);
          const bias = numbers(random, columns);
          const layer = createDenseLayer(weights, bias, engine);
          const expected = new Float64Array(columns);
          for (let run = 0; run < 3; run++) {
            const input = numbers(random, rows);
            layer.input.set(input);
            layer.run();
            dense(expected, input, weights, bias);
            expect(layer.output).toEqual(expected);
          }
        },
      ),
    );
  });

  it("takes WebAssembly where it is there", () => {
    const layer = createDenseLayer(new Float64Array(6), new Float64Array(3));
    expect(layer.input.buffer).toBe(layer.output.buffer);
  });
});
