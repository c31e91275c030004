import type { VideoEvent } from "../sensors/sensor-event.ts";
import { decodePicture } from "../sensors/video/decode-picture.ts";
import { pictureEvent } from "./picture-event.ts";
import { messageType, schemaNames } from "./schema.ts";
import type { WireChannel } from "./wire-channel.ts";
import { timestampToUs, type WireTimestamp } from "./wire-time.ts";

interface CompressedImageMessage {
  readonly timestamp: WireTimestamp | null;
  readonly data: Uint8Array;
}

const schemaName = schemaNames.compressedImage;
const type = messageType(schemaName);

/**
 * foxglove.CompressedImage as one grey frame, cropped as the channel says. What `format` claims is
 * not believed: the first bytes of `data` tell JPEG from PNG. `seq` comes from the transport.
 */
export function decodeCompressedImage(
  bytes: Uint8Array,
  channel: WireChannel,
  seq: number,
): VideoEvent {
  const { timestamp, data } = type.decode(bytes) as unknown as CompressedImageMessage;
  const timeUs = timestampToUs(schemaName, "timestamp", timestamp);
  return pictureEvent(decodePicture(data), channel, timeUs, seq);
}
