import type { Random } from "../../random.ts";
import type { TimeUs } from "../../time.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsPixelModel } from "./dvs-simulator.ts";
import { createLogResponse } from "./log-response.ts";
import { simulateMotion } from "./simulate-motion.ts";

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
 * change linearly from frame to frame.
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
  for (const [i, to] of frames.slice(1).entries()) requireNext(frames[i]!, to);
  const { width, height, timeUs: startUs } = first;
  let next = 0;
  return simulateMotion(
    (brightness, timeUs) => {
      while (frames[next]!.timeUs < timeUs) next += 1;
      const to = frames[next]!;
      const from = frames[Math.max(next - 1, 0)]!;
      const share = next === 0 ? 1 : (timeUs - from.timeUs) / (to.timeUs - from.timeUs);
      blend(brightness, from.pixels, to.pixels, share);
    },
    { width, height, response, model, random, startUs, endUs: frames.at(-1)!.timeUs },
  );
}

/** out = (1 − share)·from + share·to. */
function blend(out: Float64Array, from: Uint8Array, to: Uint8Array, share: number): void {
  for (let p = 0; p < out.length; p += 1) out[p] = from[p]! + share * (to[p]! - from[p]!);
}

/** Frames must come in time order, all of one size. */
function requireNext(from: GreyFrame, to: GreyFrame): void {
  if (to.width === from.width && to.height === from.height && to.timeUs > from.timeUs) return;
  throw new RangeError(
    `Cannot simulate events: each frame must come after the last and be ${from.width}x${from.height}, got ${to.width}x${to.height} at ${to.timeUs} after ${from.timeUs}`,
  );
}
