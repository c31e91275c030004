import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { concatMap, delay, from, map, of, Subject, timer, VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import { stateHash } from "../../../src/state/checkpoint.ts";
import { detectIdle } from "../../../src/streams/merge/detect-idle.ts";
import { runPipeline } from "../../../src/streams/pipeline.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { deliveriesOf, scalar } from "../items.ts";
import { testModel } from "../test-model.ts";

const sensors = () => [
  { name: "imu", idleUs: 100_000 },
  { name: "eye", idleUs: 50_000 },
];

function written({ item, receivedUs }: Delivery): string {
  const what = item.kind === "status" ? `${item.sensor} ${item.status}` : item.kind;
  return `${receivedUs === undefined ? "" : `${receivedUs / 1000}: `}${what} ${item.timeUs}`;
}

describe("detectIdle()", () => {
  it("gives up a sensor without progress for its timeout, and watches it again when it wakes", () => {
    const scheduler = new VirtualTimeScheduler();
    const arrivals = [0, 30, 60, 90, 120, 300].map((ms, i) => ({ ms, item: scalar("imu", ms, i) }));
    const seen: string[] = [];
    from(arrivals)
      .pipe(
        concatMap(({ ms, item }) =>
          timer(ms - scheduler.now(), scheduler).pipe(
            map((): Delivery => ({ item, receivedUs: ms * 1000, acknowledge: () => undefined })),
          ),
        ),
        detectIdle(sensors, scheduler),
      )
      .subscribe((delivery) => seen.push(written(delivery)));
    scheduler.flush();
    expect(seen).toEqual([
      "0: scalar 0",
      "30: scalar 30",
      "50: eye idle 30",
      "60: scalar 60",
      "90: scalar 90",
      "120: scalar 120",
      "220: imu idle 120",
      "300: scalar 300",
    ]);
  });

  it("does not take its own process's standstill for a silent sensor", async () => {
    const arrivals = new Subject<Delivery>();
    const seen: string[] = [];
    const subscription = arrivals
      .pipe(detectIdle(() => [{ name: "imu", idleUs: 100_000 }]))
      .subscribe((delivery) => seen.push(written(delivery)));
    const arrive = (timeUs: number): void => {
      arrivals.next({ item: scalar("imu", timeUs), acknowledge: () => undefined });
    };
    arrive(1);
    const standsStillUntil = performance.now() + 250;
    while (performance.now() < standsStillUntil);
    // Timers come before input: what came while this process stood still is read after them.
    setImmediate(() => arrive(2));
    await sleep(50);
    expect(seen).toEqual(["scalar 1", "scalar 2"]);
    await sleep(350);
    expect(seen.filter((each) => each.includes("idle"))).toHaveLength(1);
    subscription.unsubscribe();
  });

  it("takes a sensor whose clock stands still for idle, however often it speaks", () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: string[] = [];
    from(Array.from({ length: 20 }, (_, i) => scalar("imu", 5, i)))
      .pipe(
        concatMap((item) => of(item).pipe(delay(10, scheduler))),
        map((item): Delivery => ({ item, acknowledge: () => undefined })),
        detectIdle(() => [{ name: "imu", idleUs: 100_000 }], scheduler),
      )
      .subscribe((delivery) => seen.push(written(delivery)));
    scheduler.flush();
    expect(seen.filter((each) => each.includes("idle"))).toEqual(["110: imu idle 5"]);
  });

  it("leaves no timer behind when the source ends or nobody listens any more", () => {
    const scheduler = new VirtualTimeScheduler();
    const { deliveries } = deliveriesOf([scalar("imu", 1)]);
    from(deliveries).pipe(detectIdle(sensors, scheduler)).subscribe();
    scheduler.flush();
    expect(scheduler.frame).toBe(0);
  });

  it("lets a dead sensor stall nothing, and its recorded decisions make the same bits", async () => {
    const model = testModel();
    const scheduler = new VirtualTimeScheduler();
    const recorded: Delivery[] = [];
    const runs = [];
    const arrivals = Array.from({ length: 40 }, (_, i) => scalar("imu", 10_000 * i, i));
    const live = from(arrivals).pipe(
      concatMap((item) => of(item).pipe(delay(10, scheduler))),
      map((item): Delivery => ({ item, acknowledge: () => undefined })),
      detectIdle(sensors, scheduler),
      map((delivery) => {
        recorded.push(delivery);
        return delivery;
      }),
    );
    for (const source of ["live", "replay"]) {
      const waits: number[] = [];
      const predictions: string[] = [];
      const running = runPipeline({
        source: { open: () => (source === "live" ? live : from(recorded)) },
        model,
        sink: {
          write: (some) => {
            predictions.push(JSON.stringify(some));
            waits.push(scheduler.now() - some[0]!.timeUs / 1000);
          },
          close: async () => undefined,
        },
        merge: () => ({
          sensors: ["imu", "eye"].map((name) => ({ name, latenessUs: 0 })),
          waitingMax: 1000,
        }),
        onMalformed: "fail",
      });
      scheduler.flush();
      const { counts, streams } = await running;
      expect(counts.waiting).toBe(0);
      expect(counts.fused).toBe(40);
      expect(counts.anomalies).toEqual({ "sensor-idle": 1 });
      if (source === "live") expect(Math.max(...waits.slice(10))).toBeLessThanOrEqual(20);
      runs.push([predictions, stateHash(streams, model)]);
    }
    expect(recorded).toHaveLength(41);
    expect(runs[1]).toEqual(runs[0]);
  });
});
