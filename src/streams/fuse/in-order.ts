import type { Observer } from "rxjs";
import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { AheadEncoder } from "../../fusion/encoder.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { MergedItem } from "../merge/merged-item.ts";
import type { AheadFeatures } from "./stream-fusion.ts";

const noFeatures: AheadFeatures = new Map();
/** What has been applied is taken out of the queue in parts of this size. */
const appliedMax = 1024;

interface WaitingItem {
  readonly item: MergedItem;
  /** Undefined as long as a slow encoder computes them. */
  features: AheadFeatures | undefined;
}

/**
 * An observer that calls `apply` in order of arrival, at once where no slow encoder is involved.
 *
 * @param ahead the slow encoders, by sensor
 * @param end called when the input is over and everything has been applied
 * @param fail called once; nothing is applied after it
 */
export function inOrder(
  ahead: ReadonlyMap<string, AheadEncoder>,
  apply: (item: MergedItem, features: AheadFeatures) => void,
  end: () => void,
  fail: (error: unknown) => void,
): Observer<MergedItem> {
  const queue: WaitingItem[] = [];
  let first = 0;
  let isComplete = false;
  let hasFailed = false;
  const failOnce = (error: unknown): void => {
    if (hasFailed) return;
    hasFailed = true;
    queue.length = 0;
    fail(error);
  };
  const applyReady = (): void => {
    while (first < queue.length && queue[first]!.features !== undefined) {
      const { item, features } = queue[first++]!;
      apply(item, features!);
    }
    if (first < queue.length && first < appliedMax) return;
    queue.splice(0, first);
    first = 0;
    if (isComplete && queue.length === 0) end();
  };
  const proceed = (): void => {
    if (hasFailed) return;
    try {
      applyReady();
    } catch (error) {
      failOnce(error);
    }
  };
  const applyNow = (item: MergedItem): void => {
    try {
      apply(item, noFeatures);
    } catch (error) {
      failOnce(error);
    }
  };
  return {
    next: (item) => {
      if (hasFailed) return;
      const slow = ahead.size > 0 ? computeAhead(ahead, item) : undefined;
      if (slow === undefined && queue.length === 0) {
        applyNow(item);
        return;
      }
      const waiting: WaitingItem = { item, features: slow === undefined ? noFeatures : undefined };
      queue.push(waiting);
      slow?.then((features) => {
        waiting.features = features;
        if (queue[first] === waiting) proceed();
      }, failOnce);
    },
    error: failOnce,
    complete: () => {
      isComplete = true;
      proceed();
    },
  };
}

/** Starts the slow encoders of an item; undefined if it needs none. */
function computeAhead(
  ahead: ReadonlyMap<string, AheadEncoder>,
  item: MergedItem,
): Promise<AheadFeatures> | undefined {
  if (item.kind !== "tick" && item.kind !== "late") return undefined;
  const jobs: Promise<readonly [SensorEvent, FloatArray]>[] = [];
  for (const { event } of item.kind === "tick" ? item.ranges : [item.range]) {
    const encoder = event.kind === "marker" ? undefined : ahead.get(event.sensor);
    if (event.kind !== "marker" && encoder !== undefined) {
      jobs.push(encoder.compute(event).then((features) => [event, features] as const));
    }
  }
  if (jobs.length === 1) return jobs[0]!.then((entry) => new Map([entry]));
  return jobs.length > 0 ? Promise.all(jobs).then((entries) => new Map(entries)) : undefined;
}
