import protobuf from "protobufjs";
import { allocateFloats } from "./float-block.ts";
import type { Bits64, WireTimestamp } from "./wire-time.ts";

/** The fields of a polyphase.v1.FeatureFrame that decoding needs. */
export interface FeatureFrameMessage {
  readonly timestamp: WireTimestamp | null;
  readonly seq: Bits64;
  readonly convention: string;
  readonly available_ns: Bits64;
  readonly values: Float32Array;
}

type Fields = { -readonly [field in keyof FeatureFrameMessage]: FeatureFrameMessage[field] };

const noValues = new Float32Array(0);
const zero: Bits64 = { low: 0, high: 0, unsigned: true };

/**
 * Reads the one layout that encoders write, in half the time the reflected decoder takes; feature
 * vectors are the most frequent message there is (bench/recording.ts). Undefined for any other
 * layout of the same message, which protobufjs must then decode. Throws what its reader throws.
 */
export function readFeatureFrame(bytes: Uint8Array): FeatureFrameMessage | undefined {
  const reader = protobuf.Reader.create(bytes);
  const fields: Fields = {
    timestamp: null,
    seq: zero,
    convention: "",
    available_ns: zero,
    values: noValues,
  };
  while (reader.pos < reader.len) {
    if (!readField(reader, fields)) return undefined;
  }
  return fields;
}

/** Reads one field. The cases are tags: field number · 8 + wire type. */
function readField(reader: protobuf.Reader, fields: Fields): boolean {
  switch (reader.uint32()) {
    case 10: {
      const timestamp = readTimestamp(reader);
      if (timestamp === undefined || fields.timestamp !== null) return false;
      fields.timestamp = timestamp;
      return true;
    }
    case 18: // sensor_id: the channel says it; read because it must be UTF-8
      reader.stringVerify();
      return true;
    case 24:
      fields.seq = reader.uint64();
      return true;
    case 34:
      fields.convention = reader.stringVerify();
      return true;
    case 41:
      fields.available_ns = reader.fixed64();
      return true;
    case 50: {
      const floats = readFloats(reader);
      if (floats === undefined || fields.values.length > 0) return false;
      fields.values = floats;
      return true;
    }
    default:
      return false;
  }
}

function readTimestamp(reader: protobuf.Reader): WireTimestamp | undefined {
  const length = reader.uint32();
  const end = reader.pos + length;
  let seconds: Bits64 = zero;
  let nanos = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) seconds = reader.int64();
    else if (tag === 16) nanos = reader.int32();
    else return undefined;
  }
  return reader.pos === end ? { seconds, nanos } : undefined;
}

/** Packed little-endian floats, copied so that they are aligned and owned. */
function readFloats(reader: protobuf.Reader): Float32Array | undefined {
  const length = reader.uint32();
  if (length % 4 !== 0 || reader.pos + length > reader.len) return undefined;
  const floats = allocateFloats(length / 4);
  const { buf, pos } = reader;
  new Uint8Array(floats.buffer, floats.byteOffset, length).set(buf.subarray(pos, pos + length));
  reader.skip(length);
  return floats;
}
