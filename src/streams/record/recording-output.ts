import type { TimeUs } from "../../sensors/time.ts";
import type { ClosedChunk } from "./chunk-encoder.ts";

/** How a file ends: with its run, or before it. */
export type RunEnd = "ended" | "goes on";

/**
 * Where a recorder's chunks go. They come in segments, each of which begins with the keyframes of all
 * streams, but for the very first, which begins with the streams themselves.
 */
export interface RecordingOutput {
  /** What it failed with; undefined as long as it works. */
  readonly failure: unknown;
  /** Given while much waits to be written: resolves when that is. A source that can wait, does. */
  readonly busy: Promise<void> | undefined;
  /** True if it would rather have a new segment now than go on with this one. */
  isFull(timeUs: TimeUs): boolean;
  /** A segment begins at this event time. */
  beginSegment(timeUs: TimeUs): void;
  append(chunk: ClosedChunk): void;
  /** Resolves when everything appended is where a power cut leaves it. */
  flush(): Promise<void>;
  /** Writes what is kept in memory to a file; where it is kept nowhere else. @returns its path */
  dump?(): Promise<string>;
  /**
   * Nothing more will come. Rejects with what it failed with.
   *
   * @param end `ended` if the run was, too
   */
  close(end: RunEnd): Promise<void>;
}
