import type { TimeUs } from "../../sensors/time.ts";
import type { ChannelSize } from "../../streams/inspect/inspect-recording.ts";
import type { SensorStatistics } from "../../streams/inspect/sensor-statistics.ts";

/** One sensor of a recording. */
export interface SensorInfo extends SensorStatistics {
  readonly stream: string;
  readonly sensor: string;
  readonly kind: string;
  readonly shape: string;
}

export interface Segment {
  readonly label: string;
  readonly startUs: TimeUs;
  readonly endUs: TimeUs;
}

/** What `polyphase info --json` prints of one recording. */
export interface RecordingInfo {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly sensors: readonly SensorInfo[];
  readonly segments: readonly Segment[];
  readonly channels: readonly ChannelSize[];
  /** States that a replay can begin at. */
  readonly keyframes: number;
  readonly fileBytes: number;
  /** From the first message to the last, as they were recorded. */
  readonly recordedSeconds: number;
  /** Lateness that, allowed to every sensor, makes no event of this recording late. */
  readonly recommendedLatenessUs: number;
}
