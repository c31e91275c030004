import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeEventColumns } from "../../src/wire/event-columns-json.ts";
import { decodeItem } from "../../src/wire/item-codec.ts";
import { schemaNames } from "../../src/wire/schema.ts";
import type { WireChannel } from "../../src/wire/wire-channel.ts";
import { dvsEvent } from "./stream-items.ts";

function decode(text: string, channel: Partial<WireChannel> = {}) {
  const bytes = new TextEncoder().encode(text);
  const place = { stream: "scene", sensor: "dvs", ...channel };
  return decodeItem(schemaNames.eventPacket, "json", bytes, place, 0);
}

const columns = {
  w: 640,
  h: 480,
  seq: 1,
  t0_us: 1_700_000_000_000_005,
  dt: [0, 5],
  x: [1, 2],
  y: [3, 4],
  p: [1, 0],
};

test("decodeItem reads events as JSON columns", () => {
  const item = decode(JSON.stringify(columns));
  expect(item).toMatchObject({ kind: "dvs", seq: 1, timeUs: columns.t0_us, sensor: "dvs" });
  expect(item).toMatchObject({
    packet: {
      width: 640,
      height: 480,
      count: 2,
      timeUs: Float64Array.of(columns.t0_us, columns.t0_us + 5),
      on: Uint8Array.of(1, 0),
    },
  });
});

test("decodeItem gives back what encodeEventColumns took", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 300 }), (seq, count) => {
      const event = dvsEvent(seq, 1_700_000_000_000_005, count);
      expect(decode(new TextDecoder().decode(encodeEventColumns(event)))).toEqual(event);
    }),
  );
});

test.each([
  [{ w: 0 }, {}, "w x h must be 0x480, not empty"],
  [{ h: 1e9 }, {}, "h must be a whole number from 0 to 32768, got 1000000000"],
  [{}, { width: 34 }, "w x h must be 34x480, not empty, got 640x480"],
  [{ t0_us: 0.5 }, {}, "t0_us must be a whole number"],
  [{ seq: "1" }, {}, "seq must be a whole number"],
  [{ dt: [] }, {}, "dt must be 1 to 16384 numbers, got 0 numbers"],
  [{ dt: "0" }, {}, "dt must be 1 to 16384 numbers, got 0"],
  [{ dt: [0, -1] }, {}, "dt[1] must be a whole number from 0 to"],
  [{ dt: [0, 2 ** 53 - 1] }, {}, "time of the last event must be a whole number"],
  [{ x: [1] }, {}, "x must be 2 numbers like dt, got 1 numbers"],
  [{ x: [1, 640] }, {}, "x[1] must be a whole number from 0 to 639, got 640"],
  [{ y: [480, 0] }, {}, "y[0] must be a whole number from 0 to 479, got 480"],
  [{ p: [0, 2] }, {}, "p[1] must be a whole number from 0 to 1, got 2"],
  [{ p: [0, null] }, {}, "p[1] must be a whole number from 0 to 1, got null"],
])("decodeItem refuses columns with %j", (change, channel, reason) => {
  expect(() => decode(JSON.stringify({ ...columns, ...change }), channel)).toThrow(reason);
});
