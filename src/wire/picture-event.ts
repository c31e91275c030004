import type { VideoEvent } from "../sensors/sensor-event.ts";
import type { TimeUs } from "../sensors/time.ts";
import { cropPicture } from "../sensors/video/crop-picture.ts";
import type { GreyPicture } from "../sensors/video/grey-picture.ts";
import { fixedCropConvention } from "../sensors/video/video-cropper.ts";
import type { WireChannel } from "./wire-channel.ts";

/**
 * A picture as an event of the channel it came from: the part that `channel.crop` asks for, in the
 * channel's size; without one in the size of the crop. Pictures have no field for how they were cut:
 * that is taken from the channel.
 *
 * @throws PolyphaseError `BAD_EVENT` for a picture of another size, or too small for the crop.
 */
export function pictureEvent(
  picture: GreyPicture,
  { stream, sensor, crop = { mode: "precropped" }, ...channel }: WireChannel,
  timeUs: TimeUs,
  seq: number,
): VideoEvent {
  const natural = crop.mode === "fixed" ? crop : picture;
  const { width = natural.width, height = natural.height } = channel;
  const convention = crop.mode === "fixed" ? fixedCropConvention(crop) : channel.convention;
  return {
    kind: "video",
    stream,
    sensor,
    timeUs,
    seq,
    ...(convention === undefined ? {} : { convention }),
    ...cropPicture(picture, crop, { width, height }),
  };
}
