import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { decodeFeatureFrame, encodeFeatureFrame } from "../../src/wire/feature-frame.ts";
import { decodeRawImage, encodeRawImage } from "../../src/wire/raw-image.ts";
import { readFeatureFrame } from "../../src/wire/read-feature-frame.ts";
import { readRawImage } from "../../src/wire/read-raw-image.ts";
import { readScalarFrame } from "../../src/wire/read-scalar-frame.ts";
import { decodeScalarFrame, encodeScalarFrame } from "../../src/wire/scalar-frame.ts";
import { messageType, schemaNames } from "../../src/wire/schema.ts";
import { audioEvent, scalarEvent, videoEvent } from "./stream-items.ts";

const { convention } = audioEvent();

/** Fields as protobufjs decodes them, 64-bit numbers as text; "an error" where it throws. */
function reflected(schemaName: string, bytes: Uint8Array): Record<string, unknown> | "an error" {
  const type = messageType(schemaName);
  try {
    return type.toObject(type.decode(bytes), { defaults: true, longs: String });
  } catch {
    return "an error";
  }
}

/** The nanoseconds of a Timestamp that protobufjs has decoded. */
function nanosecondsOf(timestamp: unknown): bigint | undefined {
  if (timestamp === null) return undefined;
  const { seconds, nanos } = timestamp as { seconds: string; nanos: number };
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

/** Up to three bytes changed, or the end cut off. */
const damage = fc.record({
  edits: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { minLength: 0, maxLength: 3 }),
  cut: fc.oneof(fc.constant(0), fc.nat(60)),
});

function damaged(
  whole: Uint8Array,
  { edits, cut }: typeof damage extends fc.Arbitrary<infer D> ? D : never,
) {
  const bytes = whole.slice(0, whole.length - cut);
  for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
  return bytes;
}

describe("readFeatureFrame()", () => {
  const same = (bytes: Uint8Array): boolean => {
    const read = readFeatureFrame(bytes, convention);
    if (read === undefined) return false;
    const fields = reflected(schemaNames.featureFrame, bytes);
    expect(fields).toMatchObject({ convention: read.convention, seq: `${read.seq}` });
    const { timestamp, available_ns, values } = fields as Record<string, string>;
    expect(BigInt(read.timeUs) * 1000n).toBe(nanosecondsOf(timestamp));
    expect(BigInt(read.availableUs) * 1000n).toBe(BigInt(available_ns!));
    expect([...read.values]).toEqual(values);
    return true;
  };

  it("reads what encoders write as protobufjs does", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.maxSafeNat(), (seq, timeUs) => {
        expect(same(encodeFeatureFrame(audioEvent(seq, Math.min(timeUs, 2 ** 53 - 1e6))))).toBe(
          true,
        );
      }),
    );
  });

  it("agrees with protobufjs on damaged bytes or leaves them to it", () => {
    let read = 0;
    fc.assert(
      fc.property(damage, (how) => {
        if (same(damaged(encodeFeatureFrame(audioEvent()), how))) read++;
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("leaves numbers that are not packed and unknown fields to protobufjs", () => {
    const { values, ...rest } = audioEvent();
    const packed = encodeFeatureFrame({ ...rest, values: values.subarray(0, 1) });
    const writer = protobuf.Writer.create();
    writer.uint32((6 << 3) | 5).float(values[1]!); // one more value, unpacked
    writer.uint32((15 << 3) | 2).string("from a later version");
    const bytes = Uint8Array.from([...packed, ...writer.finish()]);
    expect(readFeatureFrame(bytes, convention)).toBeUndefined();
    const channel = { stream: "scene", sensor: "audio" };
    expect(decodeFeatureFrame(bytes, channel)).toEqual({ ...rest, values: values.subarray(0, 2) });
  });
});

describe("readScalarFrame()", () => {
  const same = (bytes: Uint8Array): boolean => {
    const read = readScalarFrame(bytes);
    if (read === undefined) return false;
    const fields = reflected(schemaNames.scalarFrame, bytes);
    expect(fields).toMatchObject({ seq: `${read.seq}` });
    const { timestamp, values } = fields as Record<string, unknown>;
    expect(BigInt(read.timeUs) * 1000n).toBe(nanosecondsOf(timestamp));
    expect([...read.values]).toEqual(values);
    return true;
  };

  it("reads what encoders write as protobufjs does", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.maxSafeNat(), (seq, timeUs) => {
        expect(same(encodeScalarFrame(scalarEvent(seq, timeUs)))).toBe(true);
      }),
    );
  });

  it("agrees with protobufjs on damaged bytes or leaves them to it", () => {
    let read = 0;
    fc.assert(
      fc.property(damage, (how) => {
        if (same(damaged(encodeScalarFrame(scalarEvent()), how))) read++;
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("leaves numbers that are not packed and unknown fields to protobufjs", () => {
    const { values, ...rest } = scalarEvent();
    const packed = encodeScalarFrame({ ...rest, values: values.subarray(0, 1) });
    const writer = protobuf.Writer.create();
    writer.uint32((4 << 3) | 5).float(values[1]!); // one more value, unpacked
    writer.uint32((15 << 3) | 2).string("from a later version");
    const bytes = Uint8Array.from([...packed, ...writer.finish()]);
    expect(readScalarFrame(bytes)).toBeUndefined();
    const channel = { stream: "scene", sensor: "imu" };
    expect(decodeScalarFrame(bytes, channel)).toEqual({ ...rest, values: values.subarray(0, 2) });
  });
});

describe("readRawImage()", () => {
  const same = (bytes: Uint8Array): boolean => {
    const read = readRawImage(bytes);
    if (read === undefined) return false;
    const fields = reflected(schemaNames.rawImage, bytes);
    const { timeUs, data, ...rest } = read;
    expect(fields).toMatchObject(rest);
    const { timestamp, data: expected } = fields as Record<string, Uint8Array>;
    expect(BigInt(timeUs) * 1000n).toBe(nanosecondsOf(timestamp));
    expect(Buffer.compare(data, expected!)).toBe(0);
    return true;
  };

  it("reads what encoders write as protobufjs does", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (timeUs) => {
        expect(same(encodeRawImage(videoEvent(0, timeUs)))).toBe(true);
      }),
    );
  });

  it("agrees with protobufjs on damaged bytes or leaves them to it", () => {
    const { pixels, ...rest } = videoEvent();
    const small = { ...rest, width: 6, height: 5, pixels: pixels.subarray(0, 30) };
    let read = 0;
    fc.assert(
      fc.property(damage, (how) => {
        if (same(damaged(encodeRawImage(small), how))) read++;
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("leaves colours to protobufjs", () => {
    const type = messageType(schemaNames.rawImage);
    const timestamp = { seconds: 12, nanos: 34_000 };
    const data = Uint8Array.of(10, 10, 10);
    const image = { timestamp, width: 1, height: 1, encoding: "rgb8", step: 3, data };
    const bytes = type.encode(image).finish();
    expect(readRawImage(bytes)).toBeUndefined();
    const event = decodeRawImage(bytes, { stream: "scene", sensor: "video" }, 0);
    expect([event.timeUs, ...event.pixels]).toEqual([12_000_034, 10]);
  });
});
