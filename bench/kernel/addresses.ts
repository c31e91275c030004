import { drawDigit, randomHand, rasterDigit } from "../../fixtures/generate/draw-digit.ts";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { addressVectors, fillAddressBatch } from "../../src/fusion/encoders/address-encoder.ts";
import {
  copyDvsColumns,
  createDvsPacket,
  type DvsPacket,
  dvsPacketView,
} from "../../src/sensors/dvs/dvs-packet.ts";
import {
  digitSize,
  saccadesUs,
  simulateSaccadeDigit,
} from "../../src/sensors/dvs/simulate/saccade-digit.ts";
import { Random } from "../../src/sensors/random.ts";
import { interleave, type Variant } from "../interleave.ts";
import type { Report } from "../report.ts";
import { randomLayer } from "./workload.ts";

const ROUNDS = 15;
const EVENTS = 16_384;
const side = 34;
const dimensions = 40;

/**
 * Digits as N-MNIST's camera sees them through address embedding and a Phased LSTM 41 → 110 with
 * r_on = 0.05 and its periods, from one packet in memory: the embedding's rows copied into the layer's input
 * (`plain`), and multiplied with the weights beforehand (`premultiplied`).
 */
export async function benchAddresses(report: Report): Promise<void> {
  const spec = { name: "dvs", kind: "dvs", width: side, height: side, dimensions } as const;
  const random = new Random(3);
  const any = randomLayer({ inputs: dimensions + 1, units: 110 }, 0.05);
  // As in the preset nmnist: 100 to 350 ms.
  const periodUs = Float64Array.from(any.periodUs, () => 100_000 * 3.5 ** random.uniform());
  const parameters = { ...any, periodUs, shiftUs: periodUs.map((p) => p * random.uniform()) };
  const embedding = Float32Array.from({ length: side * side * dimensions }, () => random.normal());
  const vectors = addressVectors(spec, embedding);
  const packet = digitsPacket(random);
  const kernel = createWasmKernel();
  const variants = [
    plain(kernel, parameters, vectors, packet),
    premultiplied(kernel, parameters, vectors, packet),
  ];
  const timings = await interleave(variants, ROUNDS);
  report.rowsOf(timings, "41x110");
  report.ratioOf("plain-vs-premultiplied:41x110", timings, "plain", "premultiplied");
}

/**
 * Handwritten digits in saccades, one recording after the other, of 3,000 to 6,000 events in 315 ms:
 * along the edges of the digit and in bursts, as in the real ones. 1.5 % of the events are at the time
 * of the one before, 14 % within 5 µs of it, 69 % within 50 µs; in N-MNIST 1.7, 13 and 62 %.
 */
function digitsPacket(random: Random): DvsPacket {
  const packet = createDvsPacket(side, side, EVENTS);
  let startUs = 0;
  for (let count = 0, digit = 0; count < EVENTS; digit++, startUs += saccadesUs) {
    const { pixels } = rasterDigit(drawDigit(digit, randomHand(random), random), digitSize);
    const grey = Uint8Array.from(pixels, (value) => 255 * value);
    const seen = simulateSaccadeDigit(grey, startUs, random);
    const taken = Math.min(seen.count, EVENTS - count);
    copyDvsColumns(dvsPacketView(seen, 0, taken), taken, packet, count);
    count += taken;
  }
  return packet;
}

type Kernel = ReturnType<typeof createWasmKernel>;
type Parameters = ReturnType<typeof randomLayer>;

function plain(
  kernel: Kernel,
  parameters: Parameters,
  vectors: Float32Array,
  packet: DvsPacket,
): Variant {
  const layer = kernel.createLayer(parameters);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  const batch = layer.createBatch(EVENTS, { keepOutputs: false });
  const size = dimensions + 1;
  return {
    name: "plain",
    events: EVENTS,
    run: () => {
      batch.timesUs.set(packet.timeUs);
      for (let n = 0; n < EVENTS; n++) {
        const row = addressAt(packet, n) * size;
        for (let d = 0; d < size; d++) batch.inputs[n * size + d] = vectors[row + d]!;
      }
      layer.run(state, batch, EVENTS);
    },
  };
}

function premultiplied(
  kernel: Kernel,
  parameters: Parameters,
  vectors: Float32Array,
  packet: DvsPacket,
): Variant {
  const layer = kernel.createAddressLayer(parameters, vectors);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  const batch = layer.createBatch(EVENTS);
  return {
    name: "premultiplied",
    events: EVENTS,
    run: () => {
      fillAddressBatch(batch, packet);
      layer.run(state, batch, EVENTS);
    },
  };
}

function addressAt({ x, y, on }: DvsPacket, n: number): number {
  return 2 * (y[n]! * side + x[n]!) + on[n]!;
}
