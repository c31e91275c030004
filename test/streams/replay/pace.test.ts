import { performance } from "node:perf_hooks";
import { from, interval, VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import { itemLength } from "../../../src/sensors/item-events.ts";
import type { MergedItem } from "../../../src/streams/merge/merged-item.ts";
import { Pace } from "../../../src/streams/replay/pace.ts";
import { dvs, scalar } from "../items.ts";

function tick(timeUs: number): MergedItem {
  const ranges = [{ event: scalar("imu", timeUs), from: 0, to: 1, priority: 0 }];
  return { kind: "tick", stream: "s", timeUs, ranges, finished: [] };
}

function run(...times: readonly number[]): MergedItem {
  const event = dvs("eye", times);
  const range = { event, from: 0, to: itemLength(event), priority: 1 };
  return { kind: "run", stream: "s", timeUs: times[0]!, range, finished: [] };
}

/** Times of the events that went out, with the time on the clock. */
function collect(pace: Pace, items: readonly MergedItem[], scheduler: VirtualTimeScheduler) {
  const seen: (readonly [number, number])[] = [];
  const state = { seen, isComplete: false };
  from(items)
    .pipe(pace.operator)
    .subscribe({
      next: (item) => {
        const at = scheduler.now();
        if (item.kind === "tick") seen.push([item.timeUs, at]);
        if (item.kind !== "run") return;
        const { event, from: first, to } = item.range;
        for (const timeUs of event.packet.timeUs.subarray(first, to)) seen.push([timeUs, at]);
      },
      complete: () => {
        state.isComplete = true;
      },
    });
  return state;
}

const items = [tick(5_000_000), run(5_001_000, 5_010_000, 5_010_000, 5_400_000), tick(6_000_000)];

describe("Pace", () => {
  it.each([
    [1, [0, 1, 10, 10, 400, 1000]],
    [10, [0, 0, 1, 1, 40, 100]],
  ])("lets events through as far apart as they happened, at rate %d", (rate, expected) => {
    const scheduler = new VirtualTimeScheduler();
    const { seen } = collect(new Pace({ rate, scheduler }), items, scheduler);
    scheduler.flush();
    expect(seen.map(([timeUs]) => timeUs)).toEqual([
      5_000_000, 5_001_000, 5_010_000, 5_010_000, 5_400_000, 6_000_000,
    ]);
    seen.forEach(([, at], i) => {
      expect(Math.abs(at - expected[i]!)).toBeLessThanOrEqual(1);
    });
  });

  it("steps by ticks while it is paused, and goes on from there", () => {
    const scheduler = new VirtualTimeScheduler();
    const pace = new Pace({ rate: 1, scheduler, startPaused: true });
    const state = collect(pace, items, scheduler);
    scheduler.flush();
    expect(state.seen).toEqual([]);
    const counts = [1, 2, 4].map((count) => {
      pace.step();
      return [state.seen.length, count];
    });
    for (const [seen, expected] of counts) expect(seen).toBe(expected);
    pace.resume();
    scheduler.flush();
    expect(state.seen.slice(4)).toEqual([
      [5_400_000, 0],
      [6_000_000, 600],
    ]);
    expect(state.isComplete).toBe(true);
    pace.step();
    expect(state.seen).toHaveLength(6);
  });

  it("waits for nothing before the time that it is to begin at, paused or not", () => {
    for (const startPaused of [false, true]) {
      const scheduler = new VirtualTimeScheduler();
      const pace = new Pace({ rate: 1, scheduler, startPaused, fromUs: 5_010_000 });
      const { seen } = collect(pace, items, scheduler);
      scheduler.flush();
      expect(seen.slice(0, 2)).toEqual([
        [5_000_000, 0],
        [5_001_000, 0],
      ]);
      expect(seen.map(([, at]) => at).slice(2)).toEqual(startPaused ? [] : [0, 0, 390, 990]);
    }
  });

  it("leaves everybody else a turn when it is behind", async () => {
    const pace = new Pace({ rate: 1e9 });
    let turns = 0;
    const others = interval(1).subscribe(() => turns++);
    await new Promise<void>((resolve) => {
      from(Array.from({ length: 300 }, (_, i) => tick(i)))
        .pipe(pace.operator)
        .subscribe({
          next: () => {
            // Somebody who takes 1 ms for each.
            for (const until = performance.now() + 1; performance.now() < until; );
          },
          complete: resolve,
        });
    });
    others.unsubscribe();
    expect(turns).toBeGreaterThan(5);
  });

  it("stands still from pause to resume, and ends at once when it is aborted", () => {
    const scheduler = new VirtualTimeScheduler();
    const pace = new Pace({ rate: 1, scheduler });
    const state = collect(pace, items, scheduler);
    scheduler.maxFrames = 100;
    scheduler.flush();
    expect(state.seen).toHaveLength(4);
    pace.pause();
    scheduler.maxFrames = 50_000;
    scheduler.flush();
    expect(state.seen).toHaveLength(4);
    expect(pace.isPaused).toBe(true);
    pace.abort();
    expect(state.isComplete).toBe(true);
  });
});
