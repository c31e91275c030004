import type { TimeUs } from "../sensors/time.ts";
import { ProtoCursor } from "./proto-cursor.ts";

/** What a foxglove.RawImage says. */
export interface RawImage {
  readonly timeUs: TimeUs;
  readonly width: number;
  readonly height: number;
  readonly encoding: string;
  /** Bytes per row. */
  readonly step: number;
  readonly data: Uint8Array;
}

const noData: Uint8Array = new Uint8Array(0);

/**
 * Reads the layout that encoders write for a `mono8` picture. Undefined for anything else, which
 * protobufjs must then decode or refuse. `data` is a view on `bytes`.
 */
export function readRawImage(bytes: Uint8Array): RawImage | undefined {
  const cursor = new ProtoCursor(bytes);
  let timeUs = Number.NaN;
  let width = 0;
  let height = 0;
  let encoding = "";
  let step = 0;
  let data = noData;
  while (cursor.hasMore) {
    // Tags: field number · 8 + wire type.
    switch (cursor.varint()) {
      case 10:
        // Protobuf would merge two of them.
        if (!Number.isNaN(timeUs)) return undefined;
        timeUs = cursor.timestampUs();
        break;
      case 21:
        width = cursor.fixed32();
        break;
      case 29:
        height = cursor.fixed32();
        break;
      case 34:
        encoding = cursor.usualText("mono8");
        break;
      case 45:
        step = cursor.fixed32();
        break;
      case 50:
        data = cursor.sized();
        break;
      case 58: // frame_id: the channel says it
        cursor.skipText();
        break;
      default:
        return undefined;
    }
  }
  if (cursor.isOdd || Number.isNaN(timeUs)) return undefined;
  return { timeUs, width, height, encoding, step, data };
}
