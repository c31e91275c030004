import { from, type Observable, of, toArray, VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import { delayAtRandom } from "../../../src/streams/replay/delay-at-random.ts";
import { paceDeliveries } from "../../../src/streams/replay/pace-deliveries.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { scalar } from "../items.ts";

function received(...milliseconds: readonly number[]): Observable<Delivery> {
  return from(
    milliseconds.map((ms, seq) => ({
      item: scalar("imu", ms * 1000, seq),
      receivedUs: ms * 1000,
      acknowledge: () => undefined,
    })),
  );
}

describe("paceDeliveries()", () => {
  it("keeps the distances of the recording, divided by the rate", () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: (readonly [number, number])[] = [];
    received(5000, 5010, 5010, 5400)
      .pipe(paceDeliveries(4, scheduler))
      .subscribe(({ item }) => seen.push([scheduler.now(), item.seq]));
    scheduler.flush();
    expect(seen).toEqual([
      [0, 0],
      [2.5, 1],
      [2.5, 2],
      [100, 3],
    ]);
  });

  it("holds nothing back at rate max, nor what has no receive time", () => {
    const scheduler = new VirtualTimeScheduler();
    let seen = 0;
    received(0, 1000)
      .pipe(paceDeliveries("max", scheduler))
      .subscribe(() => seen++);
    of({ item: scalar("imu", 9), acknowledge: () => undefined })
      .pipe(paceDeliveries(1, scheduler))
      .subscribe(() => seen++);
    expect(seen).toBe(3);
  });
});

describe("delayAtRandom()", () => {
  const times = Array.from({ length: 200 }, (_, i) => i);
  const arrivals = (seed: number): readonly Delivery[] => {
    let seen: readonly Delivery[] = [];
    received(...times)
      .pipe(delayAtRandom(10_000, new Random(seed)), toArray())
      .subscribe((all) => {
        seen = all;
      });
    return seen;
  };

  it("delivers everything once, in order of arrival, none later than the delay", () => {
    const seen = arrivals(1);
    expect(seen.map(({ item }) => item.seq).toSorted((a, b) => a - b)).toEqual(times);
    expect(seen.map(({ item }) => item.seq)).not.toEqual(times);
    seen.forEach(({ item, receivedUs }, i) => {
      expect(receivedUs! - item.timeUs).toBeGreaterThanOrEqual(0);
      expect(receivedUs! - item.timeUs).toBeLessThanOrEqual(10_000);
      if (i > 0) expect(receivedUs).toBeGreaterThanOrEqual(seen[i - 1]!.receivedUs!);
    });
  });

  it("is a function of the seed", () => {
    const order = (seed: number) =>
      arrivals(seed).map(({ item, receivedUs }) => [item.seq, receivedUs]);
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
  });
});
