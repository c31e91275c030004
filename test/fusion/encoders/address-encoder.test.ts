import { expect, test } from "vitest";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import {
  addressVectors,
  createAddressEncoder,
  fillAddressBatch,
} from "../../../src/fusion/encoders/address-encoder.ts";
import { createDvsPacket } from "../../../src/sensors/dvs/dvs-packet.ts";
import { randomLayer, uniform } from "../../cells/kernels/random-layer.ts";

const WIDTH = 5;
const HEIGHT = 3;
const spec = {
  name: "dvs",
  kind: "dvs",
  width: WIDTH,
  height: HEIGHT,
  dimensions: 4,
} as const;
const next = uniform(1);
const embedding = Float32Array.from({ length: WIDTH * HEIGHT * 4 }, () => next(-1, 1));
const vectors = addressVectors(spec, embedding);

const packet = createDvsPacket(WIDTH, HEIGHT, 40);
for (let n = 0; n < 40; n++) {
  packet.timeUs[n] = 100 * n;
  packet.x[n] = next(0, WIDTH);
  packet.y[n] = next(0, HEIGHT);
  packet.on[n] = next(0, 2);
}

function createBatch(capacity: number) {
  const shape = { cell: "phased-lstm", gate: "phase", openRatio: 0.5, seed: 1 } as const;
  const parameters = randomLayer({ ...shape, inputs: 5, units: 4 });
  return createWasmKernel().createAddressLayer(parameters, vectors).createBatch(capacity);
}

test("fillAddressBatch() gives the addresses of what the encoder gives, and the times", () => {
  const encoder = createAddressEncoder(spec, embedding);
  const batch = createBatch(40);
  fillAddressBatch(batch, packet, 7, 20);
  const event = { kind: "dvs", stream: "", sensor: "dvs", packet } as never;
  const encoded = new Float32Array(5);
  for (let n = 0; n < 20; n++) {
    encoder.encode(encoded, event, 7 + n);
    const row = batch.addresses[n]! * 5;
    expect(vectors.subarray(row, row + 5)).toEqual(encoded);
    expect(batch.timesUs[n]).toBe(100 * (7 + n));
  }
  expect(batch.addresses.subarray(20)).toEqual(new Uint32Array(20));
  fillAddressBatch(batch, packet);
  expect(batch.timesUs[39]).toBe(3900);
});

test("fillAddressBatch() refuses what is not there or does not fit", () => {
  const batch = createBatch(10);
  expect(() => fillAddressBatch(batch, packet, 35, 6)).toThrow("35, 6 must be in the packet's 40");
  expect(() => fillAddressBatch(batch, packet, -1, 5)).toThrow(RangeError);
  expect(() => fillAddressBatch(batch, packet)).toThrow("Cannot fill batch of 10 events");
});
