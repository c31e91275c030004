import type { VideoEvent } from "../sensors/sensor-event.ts";
import type { TimeUs } from "../sensors/time.ts";
import { cropPicture, type VideoCrop } from "../sensors/video/crop-picture.ts";
import type { GreyPicture } from "../sensors/video/grey-picture.ts";
import { fixedCropConvention } from "../sensors/video/video-cropper.ts";
import type { WireChannel } from "./wire-channel.ts";

const precropped: VideoCrop = { mode: "precropped" };

/**
 * A picture as an event of the channel it came from: the part that `channel.crop` asks for, in the
 * channel's size; without one in the size of the crop. Pictures have no field for how they were cut:
 * that is taken from the channel.
 *
 * @throws PolyphaseError `BAD_EVENT` for a picture of another size, or too small for the crop.
 */
export function pictureEvent(
  picture: GreyPicture,
  channel: WireChannel,
  timeUs: TimeUs,
  seq: number,
): VideoEvent {
  const { stream, sensor, crop = precropped } = channel;
  const natural = crop.mode === "fixed" ? crop : picture;
  const { width = natural.width, height = natural.height } = channel;
  const { pixels } = cropPicture(picture, crop, { width, height });
  const event = { kind: "video", stream, sensor, timeUs, seq, width, height, pixels } as const;
  const convention = crop.mode === "fixed" ? fixedCropConvention(crop) : channel.convention;
  return convention === undefined ? event : { ...event, convention };
}
