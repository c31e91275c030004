import { expect, test } from "vitest";
import {
  parseRosEventPacket,
  type RosEventPacket,
} from "../../../../src/sensors/dvs/codecs/ros/event-packet.ts";
import { RosEventDecoder } from "../../../../src/sensors/dvs/codecs/ros/ros-event-decoder.ts";

function message(encoding: string, eventsView: Uint8Array, more: Partial<RosEventPacket> = {}) {
  const packet: RosEventPacket = {
    width: 640,
    height: 480,
    seq: 0n,
    timeBaseNs: 5_000_000_900n,
    encoding,
    isBigEndian: false,
    eventsView,
  };
  return { ...packet, ...more };
}

function words16(words: readonly number[], isLittleEndian = true): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * words.length));
  words.forEach((word, i) => {
    view.setUint16(2 * i, word, isLittleEndian);
  });
  return new Uint8Array(view.buffer);
}

function decode(messages: readonly RosEventPacket[]) {
  const decoder = new RosEventDecoder();
  const packets: number[][][] = [];
  for (const next of messages) {
    decoder.push(next);
    for (let packet = decoder.next(); packet; packet = decoder.next()) {
      const { count, timeUs, x, y, on } = packet;
      packets.push(Array.from({ length: count }, (_, i) => [timeUs[i]!, x[i]!, y[i]!, on[i]!]));
    }
  }
  return { decoder, packets };
}

test("RosEventDecoder adds mono's nanoseconds to the time base before rounding down", () => {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, 99, true);
  view.setUint32(4, (1 << 31) | (7 << 16) | 3, true);
  view.setUint32(8, 100, true);
  view.setUint32(12, (7 << 16) | 4, true);
  const { packets } = decode([message("mono", new Uint8Array(view.buffer))]);
  expect(packets).toEqual([
    [
      [5_000_000, 3, 7, 1],
      [5_000_001, 4, 7, 0],
    ],
  ]);
});

test.each([true, false])("RosEventDecoder reads libcaer_cmp words, little-endian: %s", (order) => {
  // TIME_HIGH 1, TIME_LOW 2, ADDR_X 5, ADDR_Y 9 ON, VECT_BASE_Y 470 OFF, VECT_8 twice, code 9.
  const words = [0x0001, 0x1002, 0x2005, 0x3809, 0x41d6, 0x5003, 0x5004, 0x9000];
  const packet = message("libcaer_cmp", words16(words, order), { isBigEndian: !order });
  const { packets, decoder } = decode([packet]);
  const timeUs = 5_000_000 + 4096 + 2;
  expect(packets).toEqual([
    [
      [timeUs, 5, 9, 1],
      [timeUs, 5, 470, 0],
      [timeUs, 5, 471, 0],
    ],
  ]);
  expect(decoder.anomalies).toMatchObject({ "y-out-of-range": 1, "unknown-word": 1 });
});

test("RosEventDecoder begins libcaer_cmp anew and carries evt3 on with each message", () => {
  const caer = decode([
    message("libcaer_cmp", words16([0x2005, 0x3001])),
    message("libcaer_cmp", words16([0x3001])),
  ]);
  expect(caer.packets).toHaveLength(1);
  expect(caer.decoder.anomalies["before-first-address"]).toBe(1);
  const evt3 = decode([
    message("evt3", words16([0x8001, 0x6005, 0x0007, 0x2801])),
    message("evt3", words16([0x2802])),
  ]);
  expect(evt3.packets).toEqual([[[4101, 1, 7, 1]], [[4101, 2, 7, 1]]]);
  expect(evt3.decoder.inputPackets).toBe(2);
});

test("RosEventDecoder counts messages it cannot read", () => {
  const { packets, decoder } = decode([
    message("trigger", words16([1])),
    message("evt3", words16([1]), { isBigEndian: true }),
  ]);
  expect(packets).toEqual([]);
  expect(decoder.anomalies["foreign-packet"]).toBe(2);
});

test("parseRosEventPacket refuses another encapsulation and a message cut short", () => {
  expect(() => parseRosEventPacket(Uint8Array.of(0, 7, 0, 0, 0))).toThrow(/must be plain CDR/);
  expect(() => parseRosEventPacket(Uint8Array.of(0, 1, 0, 0, 9, 9, 9))).toThrow(
    /4 bytes must follow byte 4, got 3/,
  );
});
