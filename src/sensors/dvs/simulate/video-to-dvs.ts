import type { Random } from "../../random.ts";
import type { TimeUs } from "../../time.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import { DvsPacketBuilder } from "./dvs-packet-builder.ts";
import { type DvsPixelModel, DvsSimulator } from "./dvs-simulator.ts";
import { applyLogResponse, createLogResponse } from "./log-response.ts";

const stepUs = 1000;
/** ln(20 + I) for grey values I = 0 … 255; the 20 keeps noise in dark places from making events. */
const response = createLogResponse(20, 1, 255);

/** Pixel model for 8-bit video: about 3,100 events for a 2 s crop of a speaking mouth. */
export const videoPixelModel: DvsPixelModel = {
  thresholdOn: 0.15,
  thresholdOff: 0.15,
  mismatch: 0,
  refractoryUs: 1000,
  leakHz: 0,
  noiseHz: 0,
  lowPassUs: 0,
  initialSpread: 0,
};

/** What a frame must have; a `VideoEvent` will do. */
export interface GreyFrame {
  readonly timeUs: TimeUs;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Events that an event camera in place of a video camera might have given: brightness is taken to
 * change linearly from frame to frame, in steps of at most 1 ms.
 *
 * @param frames At least one, in time order, all of one size.
 */
export function videoToDvs(
  frames: readonly GreyFrame[],
  random: Random,
  model: DvsPixelModel = videoPixelModel,
): DvsPacket {
  const [first] = frames;
  if (first === undefined) throw new RangeError("Cannot simulate events: no video frame given");
  const { width, height } = first;
  const grey = Float64Array.from(first.pixels);
  const image = new Float64Array(grey.length);
  applyLogResponse(image, grey, response);
  const camera = new DvsSimulator({ width, height }, model, random, image, first.timeUs);
  const events = new DvsPacketBuilder(width, height);
  let from = first;
  for (const to of frames.slice(1)) {
    requireNext(from, to);
    const spanUs = to.timeUs - from.timeUs;
    for (let atUs = 0; atUs < spanUs; ) {
      atUs = Math.min(atUs + stepUs, spanUs);
      blend(grey, from.pixels, to.pixels, atUs / spanUs);
      applyLogResponse(image, grey, response);
      camera.step(events, image, from.timeUs + atUs);
    }
    from = to;
  }
  return events.packetView();
}

/** out = (1 − share)·from + share·to. */
function blend(out: Float64Array, from: Uint8Array, to: Uint8Array, share: number): void {
  for (let p = 0; p < out.length; p += 1) out[p] = from[p]! + share * (to[p]! - from[p]!);
}

function requireNext(from: GreyFrame, to: GreyFrame): void {
  if (to.width === from.width && to.height === from.height && to.timeUs > from.timeUs) return;
  throw new RangeError(
    `Cannot simulate events: each frame must come after the last and be ${from.width}x${from.height}, got ${to.width}x${to.height} at ${to.timeUs} after ${from.timeUs}`,
  );
}
