import { concatMap, EMPTY, from, mergeMap, type Observable, type OperatorFunction, of } from "rxjs";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { VideoEvent } from "../sensors/sensor-event.ts";
import type { VideoCropper } from "../sensors/video/video-cropper.ts";
import type { DropReason, EventCounts } from "../telemetry/event-counts.ts";
import type { DropListener } from "./dropped-events.ts";
import type { Delivery } from "./source.ts";

export interface CropVideoOptions {
  /** By sensor; pictures of others pass as they are. */
  readonly croppers: ReadonlyMap<string, VideoCropper>;
  /** What becomes of a picture that cannot be cut, such as one that is too small. */
  readonly onMalformed: "fail" | "drop";
  readonly onDrop?: DropListener;
}

/**
 * Cuts what the graph takes out of the pictures of cameras, in the order in which they come. One that
 * shows nothing becomes no event and is counted as dropped, `no-face`; its seq is then missing.
 */
export function cropVideo(
  options: CropVideoOptions,
  counts: EventCounts,
): OperatorFunction<Delivery, Delivery> {
  const { croppers, onMalformed, onDrop } = options;
  const drop = (reason: DropReason, { item, acknowledge }: Delivery): void => {
    counts.take(1);
    counts.drop(reason, 1);
    onDrop?.({ reason, item, from: 0, to: 1 });
    acknowledge();
  };
  const crop = async (
    delivery: Delivery,
    event: VideoEvent,
    cropper: VideoCropper,
  ): Promise<Delivery | undefined> => {
    try {
      const item = await croppedEvent(event, cropper);
      if (item !== undefined) return { ...delivery, item };
      drop("no-face", delivery);
    } catch (error) {
      const isBadEvent = error instanceof PolyphaseError && error.code === "BAD_EVENT";
      if (onMalformed === "fail" || !isBadEvent) throw error;
      drop("malformed", delivery);
    }
    return undefined;
  };
  return concatMap((delivery): Observable<Delivery> => {
    const { item } = delivery;
    const cropper = item.kind === "video" ? croppers.get(item.sensor) : undefined;
    if (item.kind !== "video" || cropper === undefined) return of(delivery);
    return from(crop(delivery, item, cropper)).pipe(
      mergeMap((cropped) => (cropped === undefined ? EMPTY : of(cropped))),
    );
  });
}

async function croppedEvent(
  event: VideoEvent,
  { convention, crop }: VideoCropper,
): Promise<VideoEvent | undefined> {
  if (event.convention !== undefined) {
    throw new PolyphaseError(
      "BAD_EVENT",
      `Cannot crop event of sensor ${event.sensor} at ${event.timeUs} µs: it must be a camera's whole picture, got one cropped before: ${event.convention}`,
    );
  }
  const picture = await crop(event);
  return picture && { ...event, ...picture, convention };
}
