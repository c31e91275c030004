import type { TimeUs } from "../sensors/time.ts";
import { copyFloats } from "./memory-block.ts";
import { ProtoCursor } from "./proto-cursor.ts";

/** What a polyphase.v1.ScalarFrame says. */
export interface ScalarFrame {
  readonly timeUs: TimeUs;
  readonly seq: number;
  readonly values: Float32Array;
}

const noValues: Uint8Array = new Uint8Array(0);

/**
 * Reads the one layout that encoders write, in a sixth of the time that protobufjs takes. Undefined for
 * any other layout of the same message and for a damaged one, which protobufjs must then decode or
 * refuse.
 */
export function readScalarFrame(bytes: Uint8Array): ScalarFrame | undefined {
  const cursor = new ProtoCursor(bytes);
  let timeUs = Number.NaN;
  let seq = 0;
  let packed = noValues;
  while (cursor.hasMore) {
    // Tags: field number · 8 + wire type.
    switch (cursor.varint()) {
      case 10:
        // Protobuf would merge two of them.
        if (!Number.isNaN(timeUs)) return undefined;
        timeUs = cursor.timestampUs();
        break;
      case 18: // sensor_id: the channel says it
        cursor.skipText();
        break;
      case 24:
        seq = cursor.varint();
        break;
      case 34:
        if (packed.length > 0) return undefined;
        packed = cursor.sized();
        break;
      default:
        return undefined;
    }
  }
  if (cursor.isOdd || Number.isNaN(timeUs) || packed.length % 4 !== 0) return undefined;
  return { timeUs, seq, values: copyFloats(packed) };
}
