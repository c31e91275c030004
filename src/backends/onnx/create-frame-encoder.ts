import type { AheadEncoder } from "../../fusion/encoder.ts";
import { validateFrame } from "../../fusion/encoders/frame-input.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import type { VideoEvent } from "../../sensors/sensor-event.ts";
import type { FrameNetwork } from "./frame-network.ts";

/** Frames that are handed to the network at a time, at most. */
const framesMax = 64;
/** Such groups that it has at a time: it goes on with the next while the codes of one are taken. */
const groupsMax = 2;

interface WaitingFrame {
  readonly pixels: Uint8Array;
  readonly resolve: (code: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The encoder of a video sensor. Frames that are asked for in one turn, or while the network is busy, as
 * a replay does, go to it together; a frame that comes alone waits for no other.
 */
export function createFrameEncoder(spec: VideoSensorSpec, network: FrameNetwork): AheadEncoder {
  const waiting: WaitingFrame[] = [];
  let groups = 0;
  const encodeWaiting = (): void => {
    while (waiting.length > 0 && groups < groupsMax) {
      groups++;
      encodeTogether(network, waiting.splice(0, framesMax), () => {
        groups--;
        encodeWaiting();
      });
    }
  };
  return {
    mode: "ahead",
    name: network.name,
    size: network.size,
    validate: (event) => validateFrame(spec, event),
    compute: (event) =>
      new Promise((resolve, reject) => {
        const { pixels } = event as VideoEvent;
        if (waiting.push({ pixels, resolve, reject }) === 1) queueMicrotask(encodeWaiting);
      }),
  };
}

/** @param onEncoded called before the codes are handed out: the network can go on meanwhile */
function encodeTogether(
  network: FrameNetwork,
  frames: readonly WaitingFrame[],
  onEncoded: () => void,
): void {
  const { length } = frames[0]!.pixels;
  const pixels = new Uint8Array(frames.length * length);
  frames.forEach((frame, i) => {
    pixels.set(frame.pixels, i * length);
  });
  network.encode(pixels).then(
    (codes) => {
      onEncoded();
      frames.forEach(({ resolve }, i) => {
        resolve(codes.subarray(i * network.size, (i + 1) * network.size));
      });
    },
    (error: unknown) => {
      onEncoded();
      for (const { reject } of frames) reject(error);
    },
  );
}
