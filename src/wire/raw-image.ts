import type { VideoEvent } from "../sensors/sensor-event.ts";
import {
  bytesPerPixel,
  isPixelEncoding,
  lumaInto,
  pixelEncodings,
} from "../sensors/video/pixel-layout.ts";
import { badEvent } from "./bad-event.ts";
import { pictureEvent } from "./picture-event.ts";
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

/**
 * One grey frame, made grey where it was coloured and cropped as the channel says; the result owns
 * its pixels. `seq` comes from the transport.
 */
export function decodeRawImage(bytes: Uint8Array, channel: WireChannel, seq: number): VideoEvent {
  const message = type.decode(bytes) as unknown as RawImageMessage;
  const { width, height, encoding } = message;
  if (!isPixelEncoding(encoding)) {
    const expected = `one of ${pixelEncodings.join(", ")}`;
    throw badEvent("decode", schemaName, "encoding", expected, JSON.stringify(encoding));
  }
  if (width < 1 || height < 1) {
    throw badEvent("decode", schemaName, "frame size", "not empty", `${width}x${height}`);
  }
  const data = packRows(message, width * bytesPerPixel(encoding));
  const pixels = new Uint8Array(width * height);
  lumaInto(pixels, data, encoding);
  const timeUs = timestampToUs(schemaName, "timestamp", message.timestamp);
  return pictureEvent({ width, height, pixels }, channel, timeUs, seq);
}

/** The pixels without the padding that `step` allows behind each row; a view where there is none. */
function packRows({ height, step, data }: RawImageMessage, rowBytes: number): Uint8Array {
  if (step < rowBytes || data.length !== step * height) {
    const expected = `${height} rows of step ${step} >= ${rowBytes} bytes`;
    throw badEvent("decode", schemaName, "data", expected, `${data.length} bytes`);
  }
  if (step === rowBytes) return data;
  const packed = new Uint8Array(rowBytes * height);
  for (let row = 0; row < height; row++) {
    packed.set(data.subarray(row * step, row * step + rowBytes), row * rowBytes);
  }
  return packed;
}
