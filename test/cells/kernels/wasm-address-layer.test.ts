import fc from "fast-check";
import { expect, test } from "vitest";
import { createReferenceKernel } from "../../../src/cells/kernels/reference-kernel.ts";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import { anyLayer, anyTimes, randomLayer, uniform } from "./random-layer.ts";

const kernel = createWasmKernel();

function randomVectors(inputs: number, count: number, seed: number): Float32Array {
  const next = uniform(seed);
  return Float32Array.from({ length: inputs * count }, () => next(-1, 1));
}

test("WasmAddressLayer gives the same bits sparse, dense and in a batch", () => {
  fc.assert(
    fc.property(anyLayer, anyTimes, fc.integer(), (parameters, times, seed) => {
      const layer = kernel.createAddressLayer(
        parameters,
        randomVectors(parameters.inputs, 7, seed),
      );
      const [sparse, dense, batched] = Array.from({ length: 3 }, () =>
        layer.bind(kernel.allocate(layer.stateLength), 0),
      ) as [never, never, never];
      const states = { sparse, dense, batched } as Record<
        string,
        { c: Float32Array; h: Float32Array }
      >;
      const batch = layer.createBatch(times.length);
      const addresses = times.map((_, i) => (i * 5 + seed) & 3);
      batch.timesUs.set(times);
      batch.addresses.set(addresses);
      let open = 0;
      times.forEach((timeUs, i) => {
        open += layer.step(sparse, timeUs, addresses[i]!);
        layer.stepDense(dense, timeUs, addresses[i]!);
      });
      expect(layer.run(batched, batch, times.length)).toBe(open);
      for (const name of ["dense", "batched"]) {
        expect(states[name]!.h).toEqual(states["sparse"]!.h);
        expect(states[name]!.c).toEqual(states["sparse"]!.c);
      }
    }),
    { numRuns: 60 },
  );
});

test("WasmAddressLayer is within 1e-6 of float64 on the plain layer, 41 → 110", () => {
  const parameters = randomLayer({
    cell: "phased-lstm",
    gate: "phase",
    inputs: 41,
    units: 110,
    openRatio: 0.05,
    seed: 4,
  });
  const vectors = randomVectors(41, 200, 5);
  const layer = kernel.createAddressLayer(parameters, vectors);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  const reference = createReferenceKernel();
  const plain = reference.createLayer(parameters);
  const expected = plain.bind(reference.allocate(plain.stateLength), 0);
  const next = uniform(6);
  let timeUs = 0;
  let worst = 0;
  for (let n = 0; n < 5000; n++) {
    timeUs += Math.floor(next(0, 200));
    const address = Math.floor(next(0, 200));
    expected.x.set(vectors.subarray(address * 41, (address + 1) * 41));
    layer.step(state, timeUs, address);
    plain.step(expected, timeUs);
    for (let j = 0; j < 110; j++) {
      worst = Math.max(worst, Math.abs(state.h[j]! - expected.h[j]!));
      worst = Math.max(worst, Math.abs(state.c[j]! - expected.c[j]!));
    }
  }
  expect(worst).toBeGreaterThan(0);
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test("WasmAddressLayer refuses vectors and addresses it cannot compute with", () => {
  const parameters = randomLayer({
    cell: "phased-lstm",
    gate: "phase",
    inputs: 3,
    units: 4,
    openRatio: 1,
    seed: 1,
  });
  expect(() => kernel.createAddressLayer(parameters, new Float32Array(7))).toThrow(
    "vectors must be finite and a multiple of 3 long, got 7 numbers",
  );
  expect(() => kernel.createAddressLayer(parameters, Float32Array.of(0, Number.NaN, 0))).toThrow(
    "got NaN at 1",
  );
  const layer = kernel.createAddressLayer(parameters, new Float32Array(6));
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  expect(() => layer.step(state, 0, 2)).toThrow("address must be < 2, got 2");
});
