import { type MonoTypeOperatorFunction, tap } from "rxjs";
import type { FusedItem } from "../fuse/fuse.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Records what has been applied, in order, where it has just been applied: a keyframe taken here is
 * the state after exactly what the recording holds before it.
 *
 * @param checkpoint a stream's state as bytes; undefined for one that has none yet
 */
export function recordTo(
  recorder: Recorder,
  checkpoint: (stream: string) => Uint8Array | undefined,
): MonoTypeOperatorFunction<FusedItem> {
  return tap(({ item }) => {
    if (item !== undefined) recorder.record(item, checkpoint);
  });
}
