import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import type { MergeOptions } from "../../../src/streams/merge/merge-options.ts";
import type { EventRange, MergedItem } from "../../../src/streams/merge/merged-item.ts";
import { StreamMerge } from "../../../src/streams/merge/stream-merge.ts";
import { EventCounts } from "../../../src/telemetry/event-counts.ts";
import { deliveriesOf, dvs, marker, scalar } from "../items.ts";

const twoSensors: MergeOptions = {
  sensors: [
    { name: "a", latenessUs: 0 },
    { name: "b", latenessUs: 0 },
  ],
  waitingMax: 1000,
};

/** Every event as `time:sensor`, joined by + within a tick. */
function written(items: readonly MergedItem[]): string[] {
  return items.flatMap((item) => {
    if (item.kind === "marker") return [`${item.timeUs}:${item.marker.action}`];
    if (item.kind !== "tick" && item.kind !== "run" && item.kind !== "late") return [];
    const ranges = item.kind === "tick" ? item.ranges : [item.range as EventRange];
    const events = ranges.flatMap(({ event, from, to }) => {
      return Array.from({ length: to - from }, (_, i) => {
        const timeUs = event.kind === "dvs" ? event.packet.timeUs[from + i]! : event.timeUs;
        return `${timeUs}:${event.sensor}`;
      });
    });
    return item.kind === "tick" ? [events.join("+")] : events;
  });
}

function mergeAll(
  items: readonly StreamItem[],
  options: MergeOptions,
  end = true,
): { written: string[]; counts: EventCounts; acknowledged: number[]; merged: MergedItem[] } {
  const counts = new EventCounts();
  const merged: MergedItem[] = [];
  const merge = new StreamMerge("s", options, counts, (item) => merged.push(item));
  const { deliveries, acknowledged } = deliveriesOf(items);
  for (const delivery of deliveries) merge.push(delivery);
  if (end) merge.end();
  return { written: written(merged), counts, acknowledged, merged };
}

describe("StreamMerge", () => {
  it("waits until every sensor has passed a time", () => {
    const items = [scalar("a", 10), scalar("a", 20), scalar("b", 15), scalar("b", 30)];
    expect(mergeAll(items, twoSensors, false).written).toEqual(["10:a", "15:b"]);
    expect(mergeAll(items, twoSensors).written).toEqual(["10:a", "15:b", "20:a", "30:b"]);
  });

  it("makes one tick of equal times, in order of sensor priority and seq", () => {
    const items = [scalar("b", 10, 1), scalar("b", 10, 0), scalar("a", 10), scalar("b", 11)];
    const { merged, written: ticks } = mergeAll(items, twoSensors);
    expect(ticks).toEqual(["10:a+10:b+10:b", "11:b"]);
    const first = merged[0]!;
    expect(first.kind === "tick" && first.ranges.map(({ event }) => event.seq)).toEqual([0, 0, 1]);
  });

  it("interleaves the events of a DVS packet with other sensors'", () => {
    const items = [dvs("a", [1, 2, 2, 5, 8]), scalar("b", 2), scalar("b", 6), dvs("a", [9, 9])];
    expect(mergeAll(items, twoSensors).written).toEqual([
      "1:a",
      "2:a+2:a+2:b",
      "5:a",
      "6:b",
      "8:a",
      "9:a",
      "9:a",
    ]);
  });

  it("puts overlapping packets of one sensor in order", () => {
    const items = [dvs("a", [1, 5, 9], 0), dvs("a", [9, 12], 1), scalar("b", 20)];
    expect(mergeAll(items, twoSensors).written).toEqual(["1:a", "5:a", "9:a+9:a", "12:a", "20:b"]);
  });

  it("puts markers before the events of their time", () => {
    const items = [scalar("a", 10), marker("segment-start", 10), scalar("b", 10)];
    expect(mergeAll(items, twoSensors).written).toEqual(["10:segment-start", "10:a+10:b"]);
  });

  it("drops late events, counts them and acknowledges them", () => {
    const items = [
      scalar("a", 10),
      scalar("b", 20),
      scalar("a", 30),
      scalar("b", 5),
      dvs("a", [15, 25]),
    ];
    const { written: ticks, counts, acknowledged } = mergeAll(items, twoSensors);
    expect(ticks).toEqual(["10:a", "20:b", "25:a", "30:a"]);
    expect(counts.dropped).toEqual({ late: 2 });
    expect(acknowledged).toEqual([3]);
  });

  it("allows a sensor its lateness", () => {
    const options = {
      ...twoSensors,
      sensors: [
        { name: "a", latenessUs: 10 },
        { name: "b", latenessUs: 0 },
      ],
    };
    const items = [
      scalar("a", 20),
      scalar("b", 30),
      scalar("a", 12),
      scalar("a", 21),
      scalar("a", 9),
    ];
    const { written: ticks, counts } = mergeAll(items, options);
    expect(ticks).toEqual(["12:a", "20:a", "21:a", "30:b"]);
    expect(counts.dropped).toEqual({ late: 1 });
  });

  it("drops sensors the graph does not have", () => {
    const { counts, acknowledged } = mergeAll([scalar("x", 1), scalar("a", 2)], twoSensors);
    expect(counts.dropped).toEqual({ "unknown-sensor": 1 });
    expect(acknowledged).toEqual([0]);
  });

  it("does not wait for a dead sensor beyond its buffer", () => {
    const items = Array.from({ length: 20 }, (_, i) => scalar("a", 10 * i, i));
    const { written: ticks } = mergeAll(items, { ...twoSensors, waitingMax: 5 }, false);
    expect(ticks).toHaveLength(15);
  });

  it("gives the same order for every disorder within the lateness, and loses nothing", () => {
    const latenessUs = 50;
    const options = {
      waitingMax: 1000,
      sensors: [
        { name: "a", latenessUs },
        { name: "b", latenessUs },
      ],
    };
    const event = fc.record({
      sensor: fc.constantFrom("a", "b"),
      timeUs: fc.nat(400),
      delay: fc.nat(latenessUs - 1),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const numbered = events.map((each, i) => ({
          ...each,
          item: scalar(each.sensor, each.timeUs, i),
        }));
        const inOrder = numbered.toSorted((x, y) => x.timeUs - y.timeUs).map(({ item }) => item);
        const disordered = numbered
          .toSorted((x, y) => x.timeUs + x.delay - (y.timeUs + y.delay))
          .map(({ item }) => item);
        const expected = mergeAll(inOrder, options);
        const actual = mergeAll(disordered, options);
        expect(actual.written).toEqual(expected.written);
        expect(actual.counts.fused).toBe(0);
        expect(actual.counts.dropped).toEqual({});
        const finished = actual.merged.flatMap((item) => item.finished);
        expect(finished).toHaveLength(events.length);
      }),
      { numRuns: 300 },
    );
  });
});
