import { expect, test } from "vitest";
import { decodeWhole, joinDvsPackets } from "../../../../src/sensors/dvs/codecs/decode-whole.ts";
import {
  createNmnistDecoder,
  createNmnistEncoder,
} from "../../../../src/sensors/dvs/codecs/nmnist.ts";
import { createDvsPacket } from "../../../../src/sensors/dvs/dvs-packet.ts";

test("createNmnistDecoder reads x, y, polarity and the 23-bit time", () => {
  const [packet] = decodeWhole(createNmnistDecoder(), Uint8Array.of(5, 33, 0x81, 0x02, 0x03));
  expect(packet).toMatchObject({ width: 34, height: 34, count: 1 });
  expect([packet!.timeUs[0], packet!.x[0], packet!.y[0], packet!.on[0]]).toEqual([
    0x010203, 5, 33, 1,
  ]);
});

test("createNmnistDecoder adds 2^13 µs for each record with y = 240 and drops it", () => {
  const bytes = Uint8Array.of(1, 2, 0, 0, 7, 9, 240, 0, 0, 8, 1, 2, 0, 0, 9);
  const decoder = createNmnistDecoder();
  const [packet] = decodeWhole(decoder, bytes);
  expect([...packet!.timeUs]).toEqual([7, 9 + 8192]);
  expect(decoder.anomalies["y-out-of-range"]).toBe(0);
});

test("createNmnistDecoder counts pixels outside the sensor and a truncated tail", () => {
  const decoder = createNmnistDecoder();
  const bytes = Uint8Array.of(34, 0, 0, 0, 1, 0, 34, 0, 0, 2, 1, 1, 0, 0, 3, 1, 1);
  expect(decodeWhole(decoder, bytes).map((packet) => packet.count)).toEqual([1]);
  expect(decoder.anomalies).toMatchObject({
    "x-out-of-range": 1,
    "y-out-of-range": 1,
    "truncated-tail": 1,
  });
});

test("createNmnistEncoder round-trips times beyond 2^23 µs", () => {
  const packet = createDvsPacket(34, 34, 3);
  packet.timeUs.set([1, 2 ** 23 - 1, 2 ** 23 + 900_000]);
  packet.x.set([0, 1, 33]);
  packet.y.set([33, 2, 0]);
  packet.on.set([1, 0, 1]);
  const bytes = createNmnistEncoder().encode(packet);
  expect(joinDvsPackets(decodeWhole(createNmnistDecoder(), bytes))).toEqual(packet);
});

test("createNmnistEncoder refuses what five bytes cannot hold", () => {
  const packet = createDvsPacket(256, 256, 1);
  packet.y[0] = 240;
  expect(() => createNmnistEncoder().encode(packet)).toThrow(/Cannot encode N-MNIST.*y 240/);
});
