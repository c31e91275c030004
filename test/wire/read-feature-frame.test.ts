import fc from "fast-check";
import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { decodeFeatureFrame, encodeFeatureFrame } from "../../src/wire/feature-frame.ts";
import { readFeatureFrame } from "../../src/wire/read-feature-frame.ts";
import { messageType, schemaNames } from "../../src/wire/schema.ts";
import { audioEvent } from "./stream-items.ts";

const type = messageType(schemaNames.featureFrame);
const channel = { stream: "scene", sensor: "audio" };

/** The fields that matter, as protobufjs decodes them. */
function reflected(bytes: Uint8Array) {
  const { timestamp, seq, convention, available_ns, values } = type.toObject(type.decode(bytes), {
    defaults: true,
    longs: String,
  });
  return { timestamp, seq, convention, available_ns, values };
}

function read(bytes: Uint8Array) {
  const fields = readFeatureFrame(bytes);
  if (fields === undefined) return undefined;
  const message = type.create({ ...fields, values: [...fields.values] });
  return reflected(type.encode(message).finish());
}

test("readFeatureFrame reads what encoders write as protobufjs does", () => {
  fc.assert(
    fc.property(fc.nat(), fc.maxSafeNat(), (seq, timeUs) => {
      const bytes = encodeFeatureFrame(audioEvent(seq, Math.min(timeUs, 2 ** 53 - 1e6)));
      expect(read(bytes)).toEqual(reflected(bytes));
    }),
  );
});

test("readFeatureFrame agrees with protobufjs on damaged bytes or leaves them to it", () => {
  const damage = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(damage, (edits) => {
      const bytes = encodeFeatureFrame(audioEvent()).slice();
      for (const [at, value] of edits) bytes[at] = value;
      let expected: unknown;
      try {
        expected = reflected(bytes);
      } catch {
        expected = "an error";
      }
      let actual: unknown;
      try {
        actual = read(bytes) ?? expected;
      } catch {
        actual = "an error";
      }
      expect(actual).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

test("decodeFeatureFrame also reads numbers that are not packed, and skips unknown fields", () => {
  const { values, ...rest } = audioEvent();
  const packed = encodeFeatureFrame({ ...rest, values: values.subarray(0, 1) });
  const writer = protobuf.Writer.create();
  writer.uint32((6 << 3) | 5).float(values[1]!); // one more value, unpacked
  writer.uint32((15 << 3) | 2).string("from a later version");
  const bytes = Uint8Array.from([...packed, ...writer.finish()]);
  expect(readFeatureFrame(bytes)).toBeUndefined();
  expect(decodeFeatureFrame(bytes, channel)).toEqual({ ...rest, values: values.subarray(0, 2) });
});
