import type { TimeUs } from "../../time.ts";

/** A place in the sensor plane, in pixels from the upper left, at a time. */
export interface PathKnot {
  readonly timeUs: TimeUs;
  readonly x: number;
  readonly y: number;
}

/** Straight and uniform motion from knot to knot; at rest before the first and after the last. */
export type MotionPath = readonly PathKnot[];

/** Where the path is at `timeUs`. */
export function placeAt(
  path: MotionPath,
  timeUs: TimeUs,
): { readonly x: number; readonly y: number } {
  const next = path.findIndex((knot) => knot.timeUs > timeUs);
  if (next === 0) return path[0]!;
  if (next === -1) return path.at(-1)!;
  const from = path[next - 1]!;
  const to = path[next]!;
  const share = (timeUs - from.timeUs) / (to.timeUs - from.timeUs);
  return { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
}
