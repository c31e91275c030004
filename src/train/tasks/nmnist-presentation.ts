import { nmnistSize } from "../../sensors/dvs/codecs/nmnist.ts";
import type { Random } from "../../sensors/random.ts";
import { addressOf, isOn, timeOf } from "../datasets/packed-recording.ts";
import { affineShape } from "../datasets/saccade-variation.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";

/** How a recording is changed before it is shown: where its pixels go, and when. */
export interface Warp {
  /** Address each address goes to, −1 for out of sight; undefined leaves all where they are. */
  readonly addresses: Int16Array | undefined;
  readonly timeScale: number;
  readonly timeOffsetUs: number;
}

export const noWarp: Warp = { addresses: undefined, timeScale: 1, timeOffsetUs: 0 };

/**
 * Shift, rotation, scale and shear of the picture, and another clock.
 *
 * @param strength factor of the deviations in space
 */
export function drawWarp(random: Random, strength: number): Warp {
  const [a, b, c, d] = affineShape(random, {
    rotation: 0.1 * strength,
    scale: 0.05 * strength,
    shear: 0.08 * strength,
  });
  const shiftX = strength * random.normal();
  const shiftY = strength * random.normal();
  const { width, height } = nmnistSize;
  const addresses = new Int16Array(width * height);
  const centreX = (width - 1) / 2;
  const centreY = (height - 1) / 2;
  for (let address = 0; address < addresses.length; address++) {
    const u = (address % width) - centreX;
    const v = Math.floor(address / width) - centreY;
    const x = Math.round(centreX + a * u + b * v + shiftX);
    const y = Math.round(centreY + c * u + d * v + shiftY);
    const isSeen = x >= 0 && x < width && y >= 0 && y < height;
    addresses[address] = isSeen ? y * width + x : -1;
  }
  const timeScale = 1 + 0.03 * random.normal();
  return { addresses, timeScale, timeOffsetUs: 3_000 * random.normal() };
}

/** Appends the events of a recording that are kept; each with probability `keep`. */
export function writeRecording(
  writer: SequenceWriter,
  events: Uint32Array,
  { keep, warp, random }: { readonly keep: number; readonly warp: Warp; readonly random: Random },
): void {
  for (const event of events) {
    if (keep < 1 && random.uniform() >= keep) continue;
    const address = warp.addresses?.[addressOf(event)] ?? addressOf(event);
    if (address < 0 || !writer.hasRoom()) continue;
    const timeUs = Math.max(0, Math.round(timeOf(event) * warp.timeScale + warp.timeOffsetUs));
    writer.pixel(timeUs, address, isOn(event));
  }
}
