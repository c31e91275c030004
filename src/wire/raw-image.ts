import type { VideoEvent } from "../sensors/sensor-event.ts";
import {
  bytesPerPixel,
  isPixelEncoding,
  lumaInto,
  type PixelEncoding,
  pixelEncodings,
} from "../sensors/video/pixel-layout.ts";
import { badEvent } from "./bad-event.ts";
import { copyBytes } from "./memory-block.ts";
import { pictureEvent } from "./picture-event.ts";
import { type RawImage, readRawImage } from "./read-raw-image.ts";
import { messageType, schemaNames } from "./schema.ts";
import type { WireChannel } from "./wire-channel.ts";
import { checkTimeUs, timestampFromUs, timestampToUs, type WireTimestamp } from "./wire-time.ts";

interface RawImageMessage extends Omit<RawImage, "timeUs"> {
  readonly timestamp: WireTimestamp | null;
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
  const image = readRawImage(bytes) ?? decodeAnyLayout(bytes);
  const { timeUs, width, height, encoding } = image;
  if (!isPixelEncoding(encoding)) {
    const expected = `one of ${pixelEncodings.join(", ")}`;
    throw badEvent("decode", schemaName, "encoding", expected, JSON.stringify(encoding));
  }
  if (width < 1 || height < 1) {
    throw badEvent("decode", schemaName, "frame size", "not empty", `${width}x${height}`);
  }
  const data = packRows(image, width * bytesPerPixel(encoding));
  const pixels = encoding === "mono8" ? copyBytes(data) : luma(data, width * height, encoding);
  return pictureEvent({ width, height, pixels }, channel, timeUs, seq);
}

/** What protobuf allows but encoders of grey frames do not write. */
function decodeAnyLayout(bytes: Uint8Array): RawImage {
  // Read one by one: fields that were absent have their defaults on the prototype.
  const message = type.decode(bytes) as unknown as RawImageMessage;
  const { width, height, encoding, step, data, timestamp } = message;
  const timeUs = timestampToUs(schemaName, "timestamp", timestamp);
  return { timeUs, width, height, encoding, step, data };
}

function luma(data: Uint8Array, length: number, encoding: PixelEncoding): Uint8Array {
  const pixels = new Uint8Array(length);
  lumaInto(pixels, data, encoding);
  return pixels;
}

/** The pixels without the padding that `step` allows behind each row; a view where there is none. */
function packRows({ height, step, data }: RawImage, rowBytes: number): Uint8Array {
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
