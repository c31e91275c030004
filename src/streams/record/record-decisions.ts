import type { Governing } from "../fuse/governing.ts";
import type { LatePolicy } from "../fuse/late-policy.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Governing whose decisions are recorded where they are made: behind all that was applied before, and
 * before the item that is being applied. Inside a run of events they lie before the whole run; a replay
 * holds each back until its time. That a marker may lie between changes nothing: the first event
 * of a session decides nothing, and no decision holds before the next event.
 *
 * Decisions that are followed are recorded as the items that they come in, and those of a run that may
 * be rewound are not: it takes them back and makes others, and so does its replay, by the rule.
 */
export function recordDecisions(
  governing: Governing,
  late: LatePolicy,
  recorder: Recorder,
): Governing {
  if (governing.source === "recorded" || !areRecorded(late)) return governing;
  return {
    ...governing,
    onDecision: (decision) => {
      recorder.decide({ ...decision });
      governing.onDecision?.(decision);
    },
  };
}

/** Whether the decisions of a run under this policy are recorded. */
export function areRecorded(late: LatePolicy): boolean {
  return late.policy !== "rewind";
}
