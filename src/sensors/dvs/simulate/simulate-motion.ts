import type { Random } from "../../random.ts";
import type { TimeUs } from "../../time.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import { DvsPacketBuilder } from "./dvs-packet-builder.ts";
import { type DvsPixelModel, DvsSimulator } from "./dvs-simulator.ts";
import { applyLogResponse, type LogResponse } from "./log-response.ts";

/** Fine enough for saccades: at most 0.15 px of motion per step. */
const stepUs = 1000;

/** Writes the brightness that every pixel sees at `timeUs`, row by row. */
export type Look = (brightness: Float64Array, timeUs: TimeUs) => void;

export interface SimulateMotionOptions {
  readonly width: number;
  readonly height: number;
  readonly response: LogResponse;
  readonly model: DvsPixelModel;
  readonly random: Random;
  /** Time of the first image, which gives no event. */
  readonly startUs: TimeUs;
  /** Time of the last image. */
  readonly endUs: TimeUs;
}

/** The events of a camera that looks at something moving, looked at every millisecond. */
export function simulateMotion(look: Look, options: SimulateMotionOptions): DvsPacket {
  const { width, height, response, model, random, startUs, endUs } = options;
  const brightness = new Float64Array(width * height);
  const image = new Float64Array(brightness.length);
  const imageAt = (timeUs: TimeUs): Float64Array => {
    look(brightness, timeUs);
    applyLogResponse(image, brightness, response);
    return image;
  };
  const camera = new DvsSimulator({ width, height }, model, random, imageAt(startUs), startUs);
  const events = new DvsPacketBuilder(width, height);
  for (let timeUs = startUs; timeUs < endUs; ) {
    timeUs = Math.min(timeUs + stepUs, endUs);
    camera.step(events, imageAt(timeUs), timeUs);
  }
  return events.packetView();
}
