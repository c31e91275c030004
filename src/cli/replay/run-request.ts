import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { LatePolicy } from "../../streams/fuse/late-policy.ts";
import type { FusePipelineOptions, PipelineOptions } from "../../streams/pipeline.ts";
import type { Pace } from "../../streams/replay/pace.ts";
import type { TimePoint } from "./time-window.ts";

/** One run of a replay: one recording, or the files that a recorder wrote in one run. */
export interface RunRequest {
  readonly model: FusionModel;
  /** Late policy; undefined: that of the recorded run, or `drop` where there is none. */
  readonly late: LatePolicy | undefined;
  readonly latenessUs?: number;
  readonly start?: TimePoint;
  readonly end?: TimePoint;
  readonly sensors?: ReadonlySet<string>;
  readonly stop?: AbortSignal;
  /** Makes the pace of the run, which waits for nothing before `fromUs`. */
  readonly pace?: (fromUs: TimeUs | undefined) => Pace;
  readonly warn: (message: string) => void;
  /** The rest of the way; with `late`, and for the first half with `stop` and `croppers`. */
  readonly pipeline: FusePipelineOptions & Pick<PipelineOptions, "stop" | "croppers">;
}
