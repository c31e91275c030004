import fc from "fast-check";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor.js";
import { expect, test } from "vitest";
import { ByteMemory } from "../../src/sensors/byte-memory.ts";
import { createDvsEncoder } from "../../src/sensors/dvs/codecs/create-dvs-encoder.ts";
import { createDvsPacket } from "../../src/sensors/dvs/dvs-packet.ts";
import { PolyphaseError } from "../../src/sensors/polyphase-error.ts";
import type { StreamItem } from "../../src/sensors/sensor-event.ts";
import { decodeItem, encodeItem, itemSchema } from "../../src/wire/item-codec.ts";
import { messageType } from "../../src/wire/schema.ts";
import type { WireChannel } from "../../src/wire/wire-channel.ts";
import { anyItem, audioEvent, dvsEvent, marker, scalarEvent, videoEvent } from "./stream-items.ts";

const kinds = ["audio", "video", "dvs", "scalar", "marker"] as const;

function channelFor(item: StreamItem): WireChannel {
  return { stream: "scene", sensor: item.kind === "marker" ? "markers" : item.sensor };
}

function decodeAs(item: StreamItem, bytes: Uint8Array, channel: Partial<WireChannel> = {}) {
  const { name, encoding } = itemSchema(item.kind);
  return decodeItem(name, encoding, bytes, { ...channelFor(item), ...channel }, item.seq);
}

/** `item`'s message with some fields replaced, as a careless sender might make it. */
function tampered(item: StreamItem, fields: object): Uint8Array {
  const type = messageType(itemSchema(item.kind).name);
  return type.encode({ ...type.decode(encodeItem(item)), ...fields }).finish();
}

test("decodeItem gives back every item that encodeItem took", () => {
  fc.assert(
    fc.property(anyItem, (item) => {
      expect(decodeAs(item, encodeItem(item))).toEqual(item);
    }),
  );
});

test("encodeItem writes events as protobufjs does, in own memory and in memory used again", () => {
  const memory = new ByteMemory();
  const type = messageType(itemSchema("dvs").name);
  // Where the length of the events takes another byte, and as many as there may be.
  for (const count of [1, 21, 22, 2730, 2731, 16_384]) {
    const packet = createDvsPacket(640, 480, count);
    packet.timeUs.fill(1_700_000_000_000_123);
    packet.x[count - 1] = 639;
    const item = { ...dvsEvent(), timeUs: packet.timeUs[0]!, packet };
    const expected = Buffer.from(type.encode(type.decode(encodeItem(item))).finish());
    expect(expected.equals(encodeItem(item)), `${count}`).toBe(true);
    expect(expected.equals(encodeItem(item, memory)), `${count}`).toBe(true);
    expect(decodeAs(item, expected)).toEqual(item);
  }
});

test.each([
  { sensor: "dvs", timeUs: 0, seq: 0 },
  { sensor: "", timeUs: 1, seq: 1 },
  { sensor: "Kamera über Tür 3 \u{1f3a5}", timeUs: 999_999, seq: 127 },
  { sensor: "x".repeat(300), timeUs: 1_000_000, seq: 128 },
  { sensor: "dvs", timeUs: 2 ** 31 * 1e6, seq: 2 ** 31 - 1 },
  { sensor: "dvs", timeUs: 2 ** 53 - 1, seq: 2 ** 31 },
  { sensor: "dvs", timeUs: 1_700_000_000_123_456, seq: 2 ** 53 - 1 },
])(
  "encodeItem writes the numbers and texts of %o as protobufjs does",
  ({ sensor, timeUs, seq }) => {
    const packet = createDvsPacket(1280, 720, 3);
    packet.timeUs.fill(timeUs);
    const item = { ...dvsEvent(), sensor, timeUs, seq, packet };
    const type = messageType(itemSchema("dvs").name);
    const bytes = Buffer.from(encodeItem(item));
    expect(bytes.equals(type.encode(type.decode(bytes)).finish())).toBe(true);
    expect(decodeAs(item, bytes)).toEqual(item);
  },
);

test.each([-1, 0.5, 2 ** 53, Number.NaN])("encodeItem refuses events numbered %d", (seq) => {
  expect(() => encodeItem({ ...dvsEvent(), seq })).toThrow(
    `seq must be a whole number from 0 to 2^53 - 1, got ${seq}`,
  );
});

test("decodeItem gives an item or a PolyphaseError for any bytes", () => {
  const damaged = fc
    .tuple(anyItem, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(100))
    .map(([item, edits, cut]) => {
      const bytes = encodeItem(item).slice();
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      return [item, bytes.subarray(0, Math.max(0, bytes.length - Math.max(0, cut - 50)))] as const;
    });
  fc.assert(
    fc.property(damaged, ([item, bytes]) => {
      try {
        decodeAs(item, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PolyphaseError);
        expect((error as PolyphaseError).code).toBe("BAD_EVENT");
      }
    }),
    { numRuns: 2000 },
  );
});

test.each(["evt2", "evt3"] as const)(
  "decodeItem reads events that travel as %s words, first event at the packet's time",
  (encoding) => {
    const item = dvsEvent();
    // The sensor's clock, near the end of EVT 3.0's range: it wraps inside the packet.
    const words = dvsEvent(0, 2 ** 24 - 7).packet;
    const events = createDvsEncoder(encoding, item.packet).encode(words);
    for (const count of [0, item.packet.count]) {
      expect(decodeAs(item, tampered(item, { encoding, events, count }))).toEqual(item);
    }
    const late = dvsEvent(0, 5, 2).packet;
    late.timeUs[1] = 5 + 65_536;
    const gap = createDvsEncoder(encoding, late).encode(late);
    expect(() => decodeAs(item, tampered(item, { encoding, events: gap, count: 2 }))).toThrow(
      "time of event 1 must be at most 65535 µs later, got 65536",
    );
    const many = createDvsEncoder(encoding, item.packet).encode(dvsEvent(0, 0, 16_385).packet);
    expect(() => decodeAs(item, tampered(item, { encoding, events: many, count: 0 }))).toThrow(
      "events must be at most 16384, got 16385",
    );
  },
);

test("decodeItem takes stream and sensor from the channel, not from the payload", () => {
  const item = decodeAs(videoEvent(), encodeItem(videoEvent()), { stream: "s2", sensor: "cam" });
  expect(item).toMatchObject({ stream: "s2", sensor: "cam" });
});

test.each([
  [audioEvent(), { values: [1, Number.NaN] }, "values[1] must be finite, got NaN"],
  [audioEvent(), { values: [Number.NEGATIVE_INFINITY] }, "values[0] must be finite, got -Infinity"],
  [audioEvent(), { values: [] }, "values must be not empty, got 0 numbers"],
  [audioEvent(), { convention: "" }, 'convention must be not empty, got ""'],
  [audioEvent(), { available_ns: 1 }, "available_ns must be a whole number of microseconds"],
  [audioEvent(), { timestamp: null }, "timestamp must be set, got nothing"],
  [audioEvent(), { timestamp: { seconds: 1, nanos: 1 } }, "timestamp.nanos must be whole micro"],
  [audioEvent(), { timestamp: { seconds: -1, nanos: 0 } }, "timestamp must be a whole number"],
  [audioEvent(), { timestamp: { seconds: 2 ** 34, nanos: 0 } }, "timestamp must be a whole number"],
  [scalarEvent(), { values: [Number.NaN] }, "values[0] must be finite, got NaN"],
  [
    videoEvent(),
    { data: new Uint8Array(2303) },
    "data must be 48 rows of step 48 >= 48 bytes, got",
  ],
  [videoEvent(), { step: 47 }, "data must be 48 rows of step 47"],
  [videoEvent(), { encoding: "16UC1" }, "encoding must be one of mono8, 8UC1, rgb8"],
  [videoEvent(), { encoding: "rgb8" }, "data must be 48 rows of step 48 >= 144 bytes, got 2304"],
  [videoEvent(), { width: 0 }, "frame size must be not empty, got 0x48"],
  [dvsEvent(), { encoding: "evt9" }, 'encoding must be "soa1", "evt2", "evt3", got "evt9"'],
  [dvsEvent(), { is_bigendian: true }, "is_bigendian must be false, got true"],
  [dvsEvent(), { encoding: "evt2" }, "events must be without before-first-time, got"],
  [dvsEvent(), { encoding: "evt3", events: new Uint8Array(0) }, "events must be 5, got 0"],
  [dvsEvent(), { count: 4 }, "events must be 6 bytes for each of 4 events, got 30 bytes"],
  [dvsEvent(), { width: 3 }, "must be on the 3x34 sensor"],
] as const)("decodeItem refuses %# with its reason", (item, fields, reason) => {
  expect(() => decodeAs(item, tampered(item, fields))).toThrow(reason);
});

test.each([
  [audioEvent(), { size: 40 }, "values must be 40 numbers, got 39 numbers"],
  [audioEvent(), { convention: "other/v2" }, 'convention must be "other/v2", got "mfcc39'],
  [videoEvent(), { width: 64 }, "size must be 64x48, precropped, got 48x48"],
  [dvsEvent(), { height: 128 }, "sensor size must be 34x128, got 34x34"],
] as const)("decodeItem refuses %# that breaks its channel's promise", (item, channel, reason) => {
  expect(() => decodeAs(item, encodeItem(item), channel)).toThrow(reason);
});

test.each([
  ["[]", "timeUs must be a number"],
  ["{", "payload must be JSON in UTF-8"],
  ["null", "payload must be a JSON object, got null"],
  ['{"timeUs":0.5}', "timeUs must be a whole number of microseconds"],
  ['{"timeUs":1,"seq":-1}', "seq must be a whole number >= 0, got -1"],
  ['{"timeUs":1,"seq":0,"action":"stop"}', "action must be session-start | segment-start"],
  ['{"timeUs":1,"seq":0,"action":"segment-end"}', "label must be a string, got undefined"],
])("decodeItem refuses the marker %s", (text, reason) => {
  expect(() => decodeAs(marker(), new TextEncoder().encode(text))).toThrow(reason);
});

test("decodeItem names the schemas it knows when it meets another", () => {
  const decode = () => decodeItem("a.B", "cdr", new Uint8Array(), { stream: "", sensor: "" }, 0);
  expect(decode).toThrow("Cannot decode a.B (cdr): the schema must be one of polyphase.v1.Feature");
});

test("decodeItem leaves out the padding of image rows", () => {
  const data = Uint8Array.of(1, 2, 99, 3, 4, 99);
  const bytes = tampered(videoEvent(), { width: 2, height: 2, step: 3, data });
  expect(decodeAs(videoEvent(), bytes)).toMatchObject({ pixels: Uint8Array.of(1, 2, 3, 4) });
});

test.each([
  [{ ...audioEvent(), timeUs: 0.5 }, "timeUs must be a whole number"],
  [{ ...audioEvent(), values: Float32Array.of(Number.NaN) }, "values[0] must be finite, got NaN"],
  [{ ...videoEvent(), width: 47 }, "pixels must be 47x48 bytes, got 2304"],
  [{ ...dvsEvent(), timeUs: 1 }, "packet.timeUs[0] must be timeUs 1"],
])("encodeItem refuses %# with its reason", (item, reason) => {
  expect(() => encodeItem(item)).toThrow(reason);
});

test("itemSchema describes each protobuf message well enough to decode it from the file alone", () => {
  for (const kind of kinds) {
    const schema = itemSchema(kind);
    if (schema.encoding !== "protobuf") continue;
    const root = protobuf.Root.fromDescriptor(schema.data(), { keepCase: true });
    const item = [audioEvent(), videoEvent(), dvsEvent(), scalarEvent()].find(
      (i) => i.kind === kind,
    )!;
    const bytes = encodeItem(item);
    const foreign = root.lookupType(schema.name).decode(bytes).toJSON();
    expect(foreign).toEqual(messageType(schema.name).decode(bytes).toJSON());
  }
});
