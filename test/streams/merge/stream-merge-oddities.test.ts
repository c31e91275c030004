import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMfccVector, MfccStream } from "../../../src/sensors/audio/mfcc-stream.ts";
import { itemLength } from "../../../src/sensors/item-events.ts";
import type { SensorStatus, StreamItem } from "../../../src/sensors/sensor-event.ts";
import type { DroppedEvents } from "../../../src/streams/dropped-events.ts";
import type { MergeOptions } from "../../../src/streams/merge/merge-options.ts";
import type { MergedItem } from "../../../src/streams/merge/merged-item.ts";
import { StreamMerge } from "../../../src/streams/merge/stream-merge.ts";
import { EventCounts } from "../../../src/telemetry/event-counts.ts";
import { dvs, marker, scalar } from "../items.ts";

const second = 1_000_000;
const minute = 60 * second;

type Input = StreamItem | { readonly item: StreamItem; readonly receivedUs: number };

function status(sensor: string, what: SensorStatus["status"], timeUs = 0): SensorStatus {
  return { kind: "status", stream: "s", sensor, timeUs, seq: 0, status: what };
}

interface Outcome {
  readonly times: readonly number[];
  readonly merged: readonly MergedItem[];
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly drops: readonly DroppedEvents[];
  /** Times that had come out before the end of input. */
  readonly timesBeforeEnd: readonly number[];
}

/** Merges sensors a and b; checks that every event comes out or is counted as dropped, once. */
function merge(inputs: readonly Input[], options: Partial<MergeOptions> = {}): Outcome {
  const counts = new EventCounts();
  const merged: MergedItem[] = [];
  const drops: DroppedEvents[] = [];
  let acknowledged = 0;
  const acknowledge = (): void => {
    acknowledged++;
  };
  const streamMerge = new StreamMerge(
    "s",
    {
      sensors: ["a", "b"].map((name) => ({ name, latenessUs: 0 })),
      waitingMax: 1000,
      onDrop: (dropped) => drops.push(dropped),
      ...options,
    },
    counts,
    (item) => merged.push(item),
  );
  for (const input of inputs) {
    const { item, ...received } = "item" in input ? input : { item: input };
    streamMerge.push({ item, acknowledge, ...received });
  }
  const timesBeforeEnd = timesOf(merged);
  streamMerge.end();
  const times = timesOf(merged);
  counts.fuse(times.length);
  expect(counts.waiting).toBe(0);
  const items = inputs.map((input) => ("item" in input ? input.item : input));
  const events = items.filter(({ kind }) => kind !== "status");
  expect(counts.taken).toBe(events.reduce((sum, item) => sum + itemLength(item), 0));
  const finished = merged.reduce((sum, item) => sum + item.finished.length, 0);
  expect(acknowledged + finished).toBe(inputs.length);
  const listened = drops.reduce((sum, { from, to }) => sum + to - from, 0);
  expect(listened).toBe(Object.values(counts.dropped).reduce((sum, n) => sum + n, 0));
  const { dropped, anomalies } = counts;
  return { times, merged, dropped, anomalies, drops, timesBeforeEnd };
}

/** Time of every event and marker. */
function timesOf(items: readonly MergedItem[]): number[] {
  return items.flatMap((item) => {
    if (item.kind === "marker") return [item.timeUs];
    if (item.kind !== "tick" && item.kind !== "run" && item.kind !== "late") return [];
    return (item.kind === "tick" ? item.ranges : [item.range]).flatMap(({ event, from, to }) => {
      return Array.from({ length: to - from }, (_, i) => {
        return event.kind === "dvs" ? event.packet.timeUs[from + i]! : event.timeUs;
      });
    });
  });
}

function steady(sensor: string, from: number, count: number, stepUs: number, seq = from / stepUs) {
  return Array.from({ length: count }, (_, i) => scalar(sensor, from + i * stepUs, seq + i));
}

describe("StreamMerge", () => {
  it("drops what is delivered twice, whatever kind it is and however it is mixed", () => {
    const once = [
      marker("session-start", 0),
      marker("segment-start", 0),
      scalar("a", 10, 0),
      scalar("a", 10, 1),
      dvs("b", [5, 12, 20], 0),
      scalar("a", 20, 2),
      dvs("b", [21], 1),
    ];
    const expected = merge(once);
    expect(expected.dropped).toEqual({});
    const repeats = fc.array(fc.tuple(fc.nat(once.length - 1), fc.nat(2 * once.length)));
    fc.assert(
      fc.property(repeats, (pairs) => {
        const inputs: StreamItem[] = [...once];
        let extra = 0;
        for (const [which, where] of pairs) {
          // A repeat follows its original, anywhere.
          const at = Math.max(inputs.indexOf(once[which]!) + 1, where);
          inputs.splice(at, 0, { ...once[which]! });
          extra += itemLength(once[which]!);
        }
        const actual = merge(inputs);
        expect(actual.times).toEqual(expected.times);
        expect(actual.dropped).toEqual(extra === 0 ? {} : { duplicate: extra });
      }),
    );
  });

  it("forgets duplicates beyond its memory, and keeps equal numbers of another time", () => {
    const inputs = [...steady("a", 0, 10, 10), scalar("a", 90, 9), scalar("a", 0, 0)];
    const options = { sensors: [{ name: "a", latenessUs: 1000 }], duplicateItemsMax: 4 };
    const { dropped, times } = merge([...inputs, scalar("a", 95, 9)], options);
    expect(dropped).toEqual({ duplicate: 1 });
    expect(times).toHaveLength(12);
  });

  it("refuses what lies too far in the future of its receive time", () => {
    const at = (item: StreamItem, receivedUs: number) => ({ item, receivedUs });
    const { dropped, times } = merge([
      at(scalar("a", 10 * second), 10 * second),
      at(scalar("b", 10 * second + 5 * minute, 0), 10 * second),
      at(dvs("a", [11 * second, 400 * second], 1), 11 * second),
      at(scalar("b", 10 * second + 5 * minute + 1, 1), 10 * second),
      at(scalar("a", 12 * second, 2), 12 * second),
    ]);
    expect(dropped).toEqual({ future: 3 });
    expect(times).toEqual([10 * second, 12 * second, 310 * second]);
  });

  it("takes the other sensors for the future where there is no receive time", () => {
    const future = 3600 * second;
    const options = { futureUsMax: minute };
    const { dropped, times } = merge(
      [
        scalar("a", 1, 0),
        scalar("b", 2, 0),
        scalar("b", future, 1),
        scalar("a", 3, 1),
        scalar("b", 4, 2),
      ],
      options,
    );
    expect(dropped).toEqual({ future: 1 });
    expect(times).toEqual([1, 2, 3, 4]);
    // After a pause of both the second sensor confirms the first, which loses one event.
    const resumed = merge(
      [
        scalar("a", 1, 0),
        scalar("b", 2, 0),
        scalar("a", future, 1),
        scalar("b", future + 1, 1),
        scalar("a", future + 2, 2),
      ],
      options,
    );
    expect(resumed.dropped).toEqual({ future: 1 });
    expect(resumed.times).toEqual([1, 2, future + 1, future + 2]);
  });

  it("drops what a clock that was set back sends, and waits for nobody meanwhile", () => {
    const inputs = [
      ...[0, 1, 2, 3, 4].flatMap((i) => [
        scalar("a", i * second, i),
        scalar("b", i * second + 1, i),
      ]),
      // The clock of b goes back by 3 s; a goes on.
      ...[5, 6, 7, 8, 9].flatMap((i) => [
        scalar("a", i * second, i),
        scalar("b", (i - 3) * second, i),
      ]),
    ];
    const { dropped, anomalies, timesBeforeEnd } = merge(inputs);
    // 2 and 3 s are a second and more behind its latest, 4 s + 1 µs; 4 to 6 s are merely late.
    expect(dropped).toEqual({ "backward-jump": 2, late: 3 });
    expect(anomalies).toEqual({ "sensor-idle": 1 });
    expect(timesBeforeEnd.at(-1)).toBe(8 * second);
  });

  it("counts a reboot and goes on", () => {
    const inputs = [...steady("a", 0, 5, 10, 1000), ...steady("a", 50, 5, 10, 0)];
    const { dropped, anomalies, merged } = merge(inputs, {
      sensors: [{ name: "a", latenessUs: 0 }],
    });
    expect(dropped).toEqual({});
    expect(anomalies).toEqual({ reboot: 1 });
    expect(merged.filter(({ kind }) => kind === "discontinuity")).toEqual([
      {
        ...{ kind: "discontinuity", stream: "s", sensor: "a", timeUs: 50 },
        ...{ reason: "reboot", missing: 0, finished: [] },
      },
    ]);
    expect(merged.findIndex(({ kind }) => kind === "discontinuity")).toBe(5);
  });

  it("finds the same gaps and reboots in every order of arrival within the lateness", () => {
    const inOrder = [
      ...steady("a", 0, 5, 10, 7),
      ...steady("a", 50, 5, 10, 15),
      ...steady("a", 100, 5, 10, 0),
    ];
    const options = { sensors: [{ name: "a", latenessUs: 40 }] };
    const expected = merge(inOrder, options);
    expect(expected.anomalies).toEqual({ reboot: 1, "seq-gap": 3 });
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 15, maxLength: 15 }), (delays) => {
        const arrived = inOrder
          .map((item, i) => ({ item, arrival: item.timeUs + delays[i]! }))
          .sort((x, y) => x.arrival - y.arrival)
          .map(({ item }) => item);
        const actual = merge(arrived, options);
        expect(actual.merged.map(withoutDeliveries)).toEqual(
          expected.merged.map(withoutDeliveries),
        );
        expect(actual.anomalies).toEqual(expected.anomalies);
      }),
    );
  });

  it("passes gaps on, so that features begin anew and bridge nothing", () => {
    // Pieces of 100 ms of 16 kHz sound; the third of six is lost, and times do not show it.
    const piece = (i: number) => Float32Array.from({ length: 1600 }, (_, j) => Math.sin(i + j / 9));
    const items = [0, 1, 3, 4, 5].map((i) => ({
      ...scalar("a", i * 100_000, i),
      values: piece(i),
    }));
    const { merged } = merge(items, { sensors: [{ name: "a", latenessUs: 0 }] });
    const mfcc = new MfccStream({ gapUsMax: 1e9 });
    const vector = createMfccVector();
    const times: number[] = [];
    const pull = (): void => {
      while (mfcc.next(vector)) times.push(vector.timeUs);
    };
    for (const item of merged) {
      if (item.kind === "discontinuity") mfcc.flush();
      else if (item.kind === "tick") {
        const { event } = item.ranges[0]!;
        if (event.kind === "scalar") mfcc.push(event.values, event.timeUs);
      }
      pull();
    }
    expect(times).toContain(192_500);
    expect(times).toContain(312_500);
    expect(times.filter((timeUs) => timeUs > 200_000 && timeUs < 300_000)).toEqual([]);
  });

  it("does not wait for a sensor that is idle or has left, until it speaks or joins again", () => {
    const waiting = [scalar("a", 1, 0), scalar("b", 1, 0), ...steady("a", 10, 3, 10)];
    expect(merge(waiting).timesBeforeEnd).toEqual([]);
    const idle = [...waiting, status("b", "idle"), status("b", "idle")];
    expect(merge(idle).timesBeforeEnd).toEqual([1, 1, 10, 20]);
    expect(merge(idle).anomalies).toEqual({ "sensor-idle": 1 });
    // Late words do not wake it; one in time does, and from then on it is waited for.
    const woken = [...idle, scalar("b", 15, 1), scalar("b", 30, 2), ...steady("a", 40, 3, 10)];
    expect(merge(woken).timesBeforeEnd).toEqual([1, 1, 10, 20]);
    expect(merge(woken).dropped).toEqual({ late: 1 });
    const left = [...waiting, status("b", "left"), scalar("b", 30, 1), ...steady("a", 40, 3, 10)];
    expect(merge(left).timesBeforeEnd).toEqual([1, 1, 10, 20, 30, 30, 40, 50]);
    const joined = [...left, status("b", "joined"), ...steady("a", 70, 3, 10)];
    expect(merge(joined).timesBeforeEnd.at(-1)).toBe(50);
    expect(merge([...joined, scalar("b", 75, 2)]).timesBeforeEnd.at(-1)).toBe(70);
  });

  it("waits for a sensor that may join only from when it does", () => {
    const sensors = [
      { name: "a", latenessUs: 0 },
      { name: "b", latenessUs: 0, joined: false },
    ];
    const inputs = [...steady("a", 0, 3, 10), status("b", "joined"), ...steady("a", 30, 3, 10)];
    const { timesBeforeEnd, anomalies } = merge(inputs, { sensors });
    expect(timesBeforeEnd).toEqual([0, 10]);
    expect(anomalies).toEqual({ "sensor-joined": 1 });
  });

  it("lets everything out when the last sensor falls silent", () => {
    const inputs = [
      ...steady("a", 0, 3, 10),
      marker("segment-end", 25),
      status("a", "idle"),
      status("b", "left"),
    ];
    const options = { sensors: ["a", "b"].map((name) => ({ name, latenessUs: 100 })) };
    const { timesBeforeEnd } = merge(inputs, options);
    expect(timesBeforeEnd).toEqual([0, 10, 20, 25]);
    // What comes then is in time if it is later.
    const { dropped, times } = merge([...inputs, scalar("b", 25, 0), scalar("b", 26, 1)], options);
    expect(dropped).toEqual({ late: 1 });
    expect(times).toEqual([0, 10, 20, 25, 26]);
  });

  it("keeps no more bytes waiting than it may", () => {
    const inputs = steady("a", 0, 100, 10);
    const { timesBeforeEnd, anomalies } = merge(inputs, { waitingBytesMax: 10 * 260 });
    expect(timesBeforeEnd).toHaveLength(90);
    expect(anomalies).toEqual({ "gave-up-waiting": 90 });
  });

  it("passes late events on where they are wanted, and nothing else", () => {
    const inputs = [
      ...[scalar("a", 10, 0), scalar("b", 20, 0), scalar("a", 30, 1)],
      ...[scalar("b", 5, 1), dvs("b", [15, 25], 2), dvs("b", [15, 25], 2)],
    ];
    const { merged, dropped } = merge(inputs, { late: "pass", backwardUsMin: 1000 });
    const late = merged.filter((item) => item.kind === "late");
    expect(late.map(({ timeUs, range, finished }) => [timeUs, range.to, finished.length])).toEqual([
      [5, 1, 1],
      [15, 1, 0],
    ]);
    expect(dropped).toEqual({ duplicate: 2 });
  });
});

function withoutDeliveries(item: MergedItem): unknown {
  return { ...item, finished: item.finished.map((delivery) => delivery.item) };
}
