import type { VideoEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { messageType, schemaNames } from "./schema.ts";
import type { WireChannel } from "./wire-channel.ts";
import { checkTimeUs, timestampFromUs, timestampToUs, type WireTimestamp } from "./wire-time.ts";

interface RawImageMessage {
  readonly timestamp: WireTimestamp | null;
  readonly width: number;
  readonly height: number;
  readonly encoding: string;
  readonly step: number;
  readonly data: Uint8Array;
}

const schemaName = schemaNames.rawImage;
const type = messageType(schemaName);
/** Two names for one layout: an 8-bit grey value per pixel. */
const greyEncodings: readonly string[] = ["mono8", "8UC1"];

/** foxglove.RawImage `mono8` of one grey frame. RawImage has no field for `seq`. */
export function encodeRawImage(event: VideoEvent): Uint8Array {
  const { width, height, pixels } = event;
  checkTimeUs("encode", schemaName, "timeUs", event.timeUs);
  if (width < 1 || height < 1 || pixels.length !== width * height) {
    throw badEvent("encode", schemaName, "pixels", `${width}x${height} bytes`, pixels.length);
  }
  return type
    .encode({
      timestamp: timestampFromUs(event.timeUs),
      frame_id: event.sensor,
      width,
      height,
      encoding: "mono8",
      step: width,
      data: pixels,
    })
    .finish();
}

/** One grey frame; the result owns its pixels. `seq` comes from the transport. */
export function decodeRawImage(bytes: Uint8Array, channel: WireChannel, seq: number): VideoEvent {
  const message = type.decode(bytes) as unknown as RawImageMessage;
  if (!greyEncodings.includes(message.encoding)) {
    const expected = '"mono8" or "8UC1"';
    throw badEvent("decode", schemaName, "encoding", expected, JSON.stringify(message.encoding));
  }
  const { width = message.width, height = message.height } = channel;
  if (message.width !== width || message.height !== height || width < 1 || height < 1) {
    const actual = `${message.width}x${message.height}`;
    throw badEvent("decode", schemaName, "frame size", `${width}x${height}, not empty`, actual);
  }
  return {
    kind: "video",
    stream: channel.stream,
    sensor: channel.sensor,
    timeUs: timestampToUs(schemaName, "timestamp", message.timestamp),
    seq,
    width,
    height,
    pixels: packRows(message),
  };
}

/** A copy of the pixels without the padding that `step` allows behind each row. */
function packRows({ width, height, step, data }: RawImageMessage): Uint8Array {
  if (step < width || data.length !== step * height) {
    const expected = `${height} rows of step ${step} >= ${width} bytes`;
    throw badEvent("decode", schemaName, "data", expected, `${data.length} bytes`);
  }
  const pixels = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    pixels.set(data.subarray(row * step, row * step + width), row * width);
  }
  return pixels;
}
