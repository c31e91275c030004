import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
} from "rxjs";
import { timeAt } from "../../sensors/item-events.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { MergedItem, Run } from "../merge/merged-item.ts";

/** After this much work that is due, everybody else has a turn: timers, files, keys. */
const turnMs = 20;
/** Ticks of a run that are due within this time go out together. */
const graceMs = 1;

export interface PaceOptions {
  /** Event time per processing time. */
  readonly rate: number;
  readonly startPaused?: boolean;
  /** What is earlier goes through at once: nobody wants to wait for it. Default: nothing is. */
  readonly fromUs?: TimeUs | undefined;
  /** Processing time. Default: the system's. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Lets merged items through at their time: as far apart in processing time as they are in event time,
 * divided by the rate. Nothing is dropped and nothing changes its order. What waits is held in memory;
 * its deliveries are not acknowledged, so that the source waits too.
 */
export class Pace {
  readonly #rate: number;
  readonly #fromUs: TimeUs;
  readonly #scheduler: SchedulerLike;
  readonly #queue: MergedItem[] = [];
  #isPaused: boolean;
  #subscriber: Subscriber<MergedItem> | undefined;
  #isComplete = false;
  #timer: Subscription | undefined;
  /** An event time, and the processing time (ms) at which it was let through. */
  #anchor: { readonly eventUs: TimeUs; readonly atMs: number } | undefined;

  constructor(options: PaceOptions) {
    const { rate, startPaused = false, fromUs, scheduler = asyncScheduler } = options;
    this.#rate = rate;
    this.#fromUs = fromUs ?? Number.NEGATIVE_INFINITY;
    this.#scheduler = scheduler;
    this.#isPaused = startPaused;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** For one use. */
  readonly operator: OperatorFunction<MergedItem, MergedItem> = (items) =>
    new Observable((subscriber) => {
      this.#subscriber = subscriber;
      subscriber.add(() => this.#timer?.unsubscribe());
      subscriber.add(
        items.subscribe({
          next: (item) => {
            this.#queue.push(item);
            // Never at once: a source that gives much in one turn would keep the turn.
            this.#schedule(0);
          },
          error: (error) => subscriber.error(error),
          complete: () => {
            this.#isComplete = true;
            if (this.#queue.length === 0) subscriber.complete();
          },
        }),
      );
    });

  pause(): void {
    this.#isPaused = true;
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Time stood still.
    this.#anchor = undefined;
    this.#schedule(0);
  }

  /** Lets one tick through, while it is paused. */
  step(): void {
    if (!this.#isPaused) return;
    while (this.#queue.length > 0) {
      const item = this.#queue.shift()!;
      if (item.kind === "run") {
        const [tick, rest] = splitRun(item, item.timeUs);
        if (rest !== undefined) this.#queue.unshift(rest);
        this.#subscriber?.next(tick);
      } else {
        this.#subscriber?.next(item);
      }
      if (item.kind === "tick" || item.kind === "run") break;
    }
    this.#completeWhenEmpty();
  }

  /** Lets nothing through any more. */
  abort(): void {
    this.#queue.length = 0;
    this.#timer?.unsubscribe();
    this.#subscriber?.complete();
  }

  #schedule(afterMs: number): void {
    if (!this.#mayProceed()) return;
    this.#timer ??= this.#scheduler.schedule(() => this.#proceed(), afterMs);
  }

  #proceed(): void {
    this.#timer = undefined;
    const startMs = this.#scheduler.now();
    while (this.#mayProceed()) {
      const item = this.#queue[0]!;
      const nowMs = this.#scheduler.now();
      const waitMs = this.#isTimed(item) ? this.#dueMs(item.timeUs, nowMs) - nowMs : 0;
      if (waitMs > graceMs || nowMs - startMs > turnMs) {
        this.#schedule(Math.max(0, waitMs));
        return;
      }
      this.#queue.shift();
      this.#emitDue(item, nowMs);
    }
    this.#completeWhenEmpty();
  }

  /** Emits an item, of a run only the ticks that are due. */
  #emitDue(item: MergedItem, nowMs: number): void {
    if (item.kind !== "run") {
      this.#subscriber?.next(item);
      return;
    }
    const [due, rest] = splitRun(item, this.#isTimed(item) ? this.#dueUs(nowMs) : this.#fromUs - 1);
    if (rest !== undefined) this.#queue.unshift(rest);
    this.#subscriber?.next(due);
  }

  #dueMs(timeUs: TimeUs, nowMs: number): number {
    this.#anchor ??= { eventUs: timeUs, atMs: nowMs };
    const { eventUs, atMs } = this.#anchor;
    return atMs + (timeUs - eventUs) / 1000 / this.#rate;
  }

  /** Event time that is due. */
  #dueUs(nowMs: number): TimeUs {
    const { eventUs, atMs } = this.#anchor!;
    return eventUs + (nowMs + graceMs - atMs) * 1000 * this.#rate;
  }

  #mayProceed(): boolean {
    const [next] = this.#queue;
    return next !== undefined && !(this.#isPaused && next.timeUs >= this.#fromUs);
  }

  /** Late items are late already, and the others only say something about time. */
  #isTimed({ kind, timeUs }: MergedItem): boolean {
    return (kind === "tick" || kind === "run" || kind === "marker") && timeUs >= this.#fromUs;
  }

  #completeWhenEmpty(): void {
    if (this.#isComplete && this.#queue.length === 0) this.#subscriber?.complete();
  }
}

/** The ticks of a run up to `untilUs`, at least one, and the others. */
function splitRun(run: Run, untilUs: TimeUs): readonly [Run, Run?] {
  const { event, from, to } = run.range;
  let end = from + 1;
  while (
    end < to &&
    (timeAt(event, end) <= untilUs || timeAt(event, end) === timeAt(event, end - 1))
  ) {
    end++;
  }
  if (end === to) return [run];
  return [
    { ...run, range: { ...run.range, to: end }, finished: [] },
    { ...run, timeUs: timeAt(event, end), range: { ...run.range, from: end } },
  ];
}
