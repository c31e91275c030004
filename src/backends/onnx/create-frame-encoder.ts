import type { AheadEncoder } from "../../fusion/encoder.ts";
import { validateFrame } from "../../fusion/encoders/frame-input.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import type { VideoEvent } from "../../sensors/sensor-event.ts";
import type { FrameNetwork } from "./frame-network.ts";

/** Frames that are computed together at most: more gains nothing. */
const framesMax = 16;

interface WaitingFrame {
  readonly pixels: Uint8Array;
  readonly resolve: (code: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The encoder of a video sensor. Frames that are asked for in one turn, as a replay does, go to the
 * network together; a frame that comes alone waits for no other.
 */
export function createFrameEncoder(spec: VideoSensorSpec, network: FrameNetwork): AheadEncoder {
  const waiting: WaitingFrame[] = [];
  const encodeAll = (): void => {
    while (waiting.length > 0) encodeTogether(network, waiting.splice(0, framesMax));
  };
  return {
    mode: "ahead",
    name: network.name,
    size: network.size,
    validate: (event) => validateFrame(spec, event),
    compute: (event) =>
      new Promise((resolve, reject) => {
        const { pixels } = event as VideoEvent;
        if (waiting.push({ pixels, resolve, reject }) === 1) queueMicrotask(encodeAll);
      }),
  };
}

function encodeTogether(network: FrameNetwork, frames: readonly WaitingFrame[]): void {
  const { length } = frames[0]!.pixels;
  const pixels = new Uint8Array(frames.length * length);
  frames.forEach((frame, i) => {
    pixels.set(frame.pixels, i * length);
  });
  network.encode(pixels).then(
    (codes) => {
      for (const [i, { resolve }] of frames.entries()) {
        resolve(codes.subarray(i * network.size, (i + 1) * network.size));
      }
    },
    (error: unknown) => {
      for (const { reject } of frames) reject(error);
    },
  );
}
