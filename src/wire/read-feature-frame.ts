import type { TimeUs } from "../sensors/time.ts";
import { copyFloats } from "./memory-block.ts";
import { ProtoCursor } from "./proto-cursor.ts";

/** What a polyphase.v1.FeatureFrame says. */
export interface FeatureFrame {
  readonly timeUs: TimeUs;
  readonly seq: number;
  readonly convention: string;
  readonly availableUs: TimeUs;
  readonly values: Float32Array;
}

const noValues: Uint8Array = new Uint8Array(0);

/**
 * Reads the one layout that encoders write, in a fraction of the time that protobufjs takes; feature
 * vectors are the most frequent message there is (bench/recording.ts). Undefined for any other
 * layout of the same message and for a damaged one, which protobufjs must then decode or refuse.
 *
 * @param usualConvention the only convention it reads
 */
export function readFeatureFrame(
  bytes: Uint8Array,
  usualConvention: string,
): FeatureFrame | undefined {
  const cursor = new ProtoCursor(bytes);
  let timeUs = Number.NaN;
  let seq = 0;
  let convention = "";
  let availableUs = 0;
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
        convention = cursor.usualText(usualConvention);
        break;
      case 41:
        availableUs = cursor.fixed64Us();
        break;
      case 50:
        if (packed.length > 0) return undefined;
        packed = cursor.sized();
        break;
      default:
        return undefined;
    }
  }
  if (cursor.isOdd || Number.isNaN(timeUs) || packed.length % 4 !== 0) return undefined;
  return { timeUs, seq, convention, availableUs, values: copyFloats(packed) };
}
