import type { StreamItem } from "../../../sensors/sensor-event.ts";
import type { TimeUs } from "../../../sensors/time.ts";
import type { Decision } from "../../../wire/decision-json.ts";
import type { ClockMap } from "../../clock/clock-map.ts";
import type { Keyframe } from "../../fuse/fuse.ts";

/** One message of a recorder's files. */
export type LogEntry =
  | { readonly kind: "item"; readonly item: StreamItem; readonly receivedUs: TimeUs }
  | { readonly kind: "watermark"; readonly stream: string; readonly timeUs: TimeUs }
  | ({ readonly kind: "keyframe"; readonly stream: string } & Keyframe)
  | { readonly kind: "decision"; readonly decision: Decision }
  | {
      readonly kind: "clock-map";
      readonly stream: string;
      readonly sensor: string;
      readonly map: ClockMap;
    };
