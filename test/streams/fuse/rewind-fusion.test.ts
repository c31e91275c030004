import { from } from "rxjs";
import { describe, expect, it } from "vitest";
import type { AheadEncoder, DirectEncoder } from "../../../src/fusion/encoder.ts";
import type { FusionModel } from "../../../src/fusion/fusion-model.ts";
import { createGovernor } from "../../../src/fusion/governor/governor.ts";
import type { Prediction } from "../../../src/fusion/prediction.ts";
import { Random } from "../../../src/sensors/random.ts";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { stateHash } from "../../../src/state/checkpoint.ts";
import type { DroppedEvents } from "../../../src/streams/dropped-events.ts";
import type { Governing } from "../../../src/streams/fuse/governing.ts";
import type { LatePolicy } from "../../../src/streams/fuse/late-policy.ts";
import { RewindFusion } from "../../../src/streams/fuse/rewind-fusion.ts";
import { StreamFusion } from "../../../src/streams/fuse/stream-fusion.ts";
import type { Tick } from "../../../src/streams/merge/merged-item.ts";
import { runPipeline } from "../../../src/streams/pipeline.ts";
import { deliveriesOf, dvs, marker, scalar } from "../items.ts";
import { testModel } from "../test-model.ts";

const roles = ["every-tick", "on-change", "per-segment", "last"];
const packetUsMax = 2_000;

interface Outcome {
  readonly emitted: readonly Prediction[];
  readonly hash: string;
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly drops: readonly DroppedEvents[];
}

async function outcomeOf(
  items: readonly StreamItem[],
  late: LatePolicy,
  model: FusionModel,
  latenessUs = 0,
  waitingMax = 1000,
  governing?: Governing,
): Promise<Outcome> {
  const { deliveries, acknowledged } = deliveriesOf(items);
  const emitted: Prediction[] = [];
  const drops: DroppedEvents[] = [];
  const { counts, streams } = await runPipeline({
    source: { open: () => from(deliveries) },
    model,
    sink: { write: (some) => void emitted.push(...some), close: async () => undefined },
    merge: () => ({
      sensors: [
        { name: "imu", latenessUs },
        { name: "eye", latenessUs },
      ],
      waitingMax,
    }),
    onMalformed: "fail",
    late,
    ...(governing === undefined ? {} : { governing }),
    onDrop: (dropped) => drops.push(dropped),
  });
  expect(counts.waiting).toBe(0);
  expect(acknowledged.toSorted((a, b) => a - b)).toEqual(items.map((_, i) => i));
  const { dropped, anomalies } = counts;
  return { emitted, hash: stateHash(streams, model), dropped, anomalies, drops };
}

/** What was said in the end, sorted by time and head. */
function lastRevisions(emitted: readonly Prediction[]): readonly Prediction[] {
  const said = new Map<string, Prediction>();
  for (const prediction of emitted) {
    const key = `${prediction.timeUs} ${prediction.head}`;
    expect(prediction.revision).toBe(
      said.has(key) ? (said.get(key)!.revision ?? 0) + 1 : undefined,
    );
    said.set(key, prediction);
  }
  return [...said.values()]
    .filter(({ retracted }) => retracted !== true)
    .map(({ revision: _, ...prediction }) => prediction)
    .sort((a, b) => a.timeUs - b.timeUs || (a.head < b.head ? -1 : 1));
}

/** Events of both sensors, many at equal times, with segments and a second session. */
function randomItems(random: Random): readonly StreamItem[] {
  const items: StreamItem[] = [marker("session-start", 0)];
  let timeUs = 0;
  for (let i = 0; i < 60; i++) {
    timeUs += random.below(4) * 250;
    const kind = random.below(10);
    if (kind < 5) items.push(scalar("imu", timeUs, i, random.normal()));
    else if (kind < 9) {
      const times = Array.from({ length: 1 + random.below(6) }, () => {
        return timeUs + random.below(packetUsMax / 250) * 250;
      });
      times.sort((a, b) => a - b);
      items.push(dvs("eye", times, i));
    } else items.push({ ...marker("segment-end", timeUs + 1 + i), seq: i });
    if (i === 30) items.push({ ...marker("session-start", timeUs + 125), seq: 1 });
  }
  return items;
}

/** The items as they arrive when each is delayed by up to `delayUsMax`. */
function delayed(items: readonly StreamItem[], random: Random, delayUsMax: number): StreamItem[] {
  return items
    .map((item) => ({ item, arrival: item.timeUs + random.uniform() * delayUsMax }))
    .sort((a, b) => a.arrival - b.arrival)
    .map(({ item }) => item);
}

function inOrder(items: readonly StreamItem[]): StreamItem[] {
  return items.toSorted((a, b) => a.timeUs - b.timeUs);
}

describe("RewindFusion", () => {
  it.each(["sparse-f32", "wasm-f32", "reference-f64"] as const)(
    "makes any disorder inside the horizon the run in order, bit for bit (%s)",
    async (kernel) => {
      const model = testModel(roles, kernel);
      let revised = 0;
      let retracted = 0;
      for (let seed = 0; seed < 15; seed++) {
        const random = new Random(seed);
        const items = randomItems(random);
        const delayUsMax = 1 + random.below(20_000);
        const expected = await outcomeOf(inOrder(items), { policy: "drop" }, model, packetUsMax);
        const limits = { horizonUs: delayUsMax + packetUsMax, horizonBytesMax: 1 << 24 };
        const late = { policy: "rewind", ...limits } as const;
        const arrived = delayed(items, random, delayUsMax);
        const actual = await outcomeOf(arrived, late, model, random.below(3) * 500);
        expect(expected.dropped).toEqual({});
        expect(actual.dropped, `seed ${seed}`).toEqual({});
        expect(actual.hash, `seed ${seed}`).toBe(expected.hash);
        expect(lastRevisions(actual.emitted), `seed ${seed}`).toEqual(
          lastRevisions(expected.emitted),
        );
        revised += actual.emitted.filter(({ revision }) => revision !== undefined).length;
        retracted += actual.emitted.filter((each) => each.retracted).length;
      }
      expect(revised).toBeGreaterThan(300);
      expect(retracted).toBeGreaterThan(3);
    },
    60_000,
  );

  it("decides about a compute budget as the run in order does", async () => {
    const model = testModel();
    const items = Array.from({ length: 900 }, (_, i) => {
      return i % 2 === 0 ? scalar("imu", 5_000 * i, i, i % 7) : dvs("eye", [5_000 * i], i);
    });
    const governor = createGovernor(model.graph, {
      usPerSecond: 12,
      floors: new Map([
        ["e", 0.5],
        ["m", 0.125],
      ]),
    });
    let decisions = 0;
    const governing = { governor, onDecision: (): void => void decisions++ };
    const expected = await outcomeOf(items, { policy: "drop" }, model, 0, 0, governing);
    expect(decisions).toBeGreaterThan(1);
    const late = { policy: "rewind", horizonUs: 200_000, horizonBytesMax: 1 << 24 } as const;
    const arrived = delayed(items, new Random(1), 100_000);
    const actual = await outcomeOf(arrived, late, model, 0, 0, governing);
    expect(actual.dropped).toEqual({});
    // Levels, their accounts and the number of decisions are part of the state.
    expect(actual.hash).toBe(expected.hash);
    expect(lastRevisions(actual.emitted)).toEqual(lastRevisions(expected.emitted));
  });

  it("drops what is older than the horizon, and only that", async () => {
    const items = [
      ...[0, 1000, 2000, 3000, 4000].map((timeUs, i) => scalar("imu", timeUs, 2 * i)),
      scalar("imu", 2999, 1),
      dvs("eye", [500, 2999, 3000, 3500], 0),
    ];
    const late = { policy: "rewind", horizonUs: 1000, horizonBytesMax: 1 << 20 } as const;
    // With no room to wait in, nobody waits for the eye.
    const model = testModel();
    const { dropped, anomalies, drops } = await outcomeOf(items, late, model, 0, 0);
    expect(dropped).toEqual({ late: 3 });
    expect(anomalies["rewound"]).toBe(2);
    expect(drops.map(({ item, from: a, to }) => [item.timeUs, a, to])).toEqual([
      [2999, 0, 1],
      [500, 0, 2],
    ]);
  });

  it("keeps no more in memory than it may, at the price of its horizon", async () => {
    const model = testModel();
    const bytesMax = 64 * 1024;
    let largest = 0;
    const limits = { horizonUs: 1e9, horizonBytesMax: bytesMax };
    const dropped: number[] = [];
    const fusion = new RewindFusion(
      (listener) => new StreamFusion(model, "s", listener, "sparse"),
      limits,
      () => undefined,
      ({ event }) => dropped.push(event.timeUs),
    );
    const tickOf = (timeUs: number): Tick => {
      const range = { event: scalar("imu", timeUs), from: 0, to: 1, priority: 0 };
      return { kind: "tick", stream: "s", timeUs, ranges: [range], finished: [] };
    };
    for (let i = 1; i <= 2000; i++) {
      expect(fusion.apply(tickOf(10 * i), new Map())).toBe(1);
      largest = Math.max(largest, fusion.historyBytes);
    }
    expect(largest).toBeLessThanOrEqual(bytesMax);
    expect(largest).toBeGreaterThan(bytesMax / 2);
    const late = (timeUs: number) => {
      const [range] = tickOf(timeUs).ranges;
      return { kind: "late", stream: "s", timeUs, range: range!, finished: [] } as const;
    };
    expect(fusion.apply(late(15), new Map())).toBe(0);
    expect(fusion.apply(late(19_995), new Map())).toBe(1);
    expect(dropped).toEqual([15]);
  });

  it("does not compute the features of slow encoders again", async () => {
    const model = testModel();
    const imu = model.encoders[0] as DirectEncoder;
    let computed = 0;
    const slow: AheadEncoder = {
      ...{ mode: "ahead", name: "slow", size: 1, validate: () => undefined },
      compute: async (event) => {
        computed++;
        const out = new Float32Array(1);
        imu.encode(out, event, 0);
        return out;
      },
    };
    const random = new Random(77);
    const items = randomItems(random);
    const expected = await outcomeOf(inOrder(items), { policy: "drop" }, model, packetUsMax);
    const late = { policy: "rewind", horizonUs: 30_000, horizonBytesMax: 1 << 24 } as const;
    const withSlow = { ...model, encoders: [slow, model.encoders[1]!] };
    const actual = await outcomeOf(delayed(items, random, 10_000), late, withSlow);
    expect(actual.hash).toBe(expected.hash);
    expect(actual.anomalies["rewound"]).toBeGreaterThan(20);
    expect(computed).toBe(items.filter(({ kind }) => kind === "scalar").length);
  });
});

describe("StreamFusion", () => {
  it("applies late events at their own time to the state of now, if it is told to", async () => {
    const model = testModel();
    const items = [
      ...[1000, 2000, 3000].map((timeUs, i) => scalar("imu", timeUs, 2 * i)),
      marker("segment-end", 500),
      dvs("eye", [400, 400, 2500], 0),
      scalar("imu", 4000, 6),
    ];
    const { dropped, anomalies, emitted } = await outcomeOf(
      items,
      { policy: "apply-late" },
      model,
      0,
      0,
    );
    // The marker would speak of a state that has moved on.
    expect(dropped).toEqual({ late: 1 });
    expect(anomalies["applied-late"]).toBe(3);
    expect(emitted.map(({ timeUs, tick, ageUs }) => [timeUs, tick, ageUs["eye"]])).toEqual([
      [1000, 1, undefined],
      [2000, 2, undefined],
      [3000, 3, undefined],
      [3000, 5, 500],
      [4000, 6, 1500],
    ]);
  });
});
