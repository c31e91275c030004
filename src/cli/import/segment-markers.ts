import type { Marker } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { ImportedItem } from "./importer.ts";

/** A stretch of a recording that shows one thing. Its end is the first microsecond after it. */
export interface Segment {
  readonly label: string;
  readonly startUs: TimeUs;
  readonly endUs: TimeUs;
}

/**
 * The markers of a recording that starts at 0: the session's start, then each segment's start and
 * end. `segments` must be in order and must not overlap. Markers arrive at their own time.
 */
export function segmentMarkers(
  stream: string,
  sessionLabel: string,
  segments: readonly Segment[],
): ImportedItem[] {
  const markers: ImportedItem[] = [];
  const add = (timeUs: TimeUs, action: Marker["action"], label: string): void => {
    const seq = markers.length;
    const item: Marker = { kind: "marker", stream, timeUs, seq, action, label };
    markers.push({ item, receivedUs: timeUs });
  };
  add(0, "session-start", sessionLabel);
  for (const { label, startUs, endUs } of segments) {
    add(startUs, "segment-start", label);
    add(endUs, "segment-end", label);
  }
  return markers;
}
