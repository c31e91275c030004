import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { from } from "rxjs";
import { describe, expect, it } from "vitest";
import { dataDirectory } from "../../src/cli/data-directory.ts";
import { grid } from "../../src/cli/import/grid.ts";
import type { DataSet } from "../../src/cli/import/importer.ts";
import { nmnist } from "../../src/cli/import/nmnist.ts";
import { prepareModel, presetModel } from "../../src/cli/load-model.ts";
import type { FusionModel } from "../../src/fusion/fusion-model.ts";
import type { Prediction } from "../../src/fusion/prediction.ts";
import { itemLength, timeAt } from "../../src/sensors/item-events.ts";
import { Random } from "../../src/sensors/random.ts";
import type { SensorStatus, StreamItem } from "../../src/sensors/sensor-event.ts";
import { stateHash } from "../../src/state/checkpoint.ts";
import type { DroppedEvents } from "../../src/streams/dropped-events.ts";
import type { LatePolicy } from "../../src/streams/fuse/late-policy.ts";
import { runPipeline } from "../../src/streams/pipeline.ts";
import { deliveriesOf, dvs, marker, scalar } from "./items.ts";
import { testModel } from "./test-model.ts";

interface Outcome {
  readonly predictions: readonly Prediction[];
  readonly hash: string;
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
}

/** Runs a pipeline and checks that every item was acknowledged once and every drop was heard of. */
async function outcomeOf(
  items: readonly StreamItem[],
  model: FusionModel,
  latenessUs: number,
  late: LatePolicy = { policy: "drop" },
): Promise<Outcome> {
  const { deliveries, acknowledged } = deliveriesOf(items);
  const predictions: Prediction[] = [];
  const drops: DroppedEvents[] = [];
  const { counts, streams } = await runPipeline({
    source: { open: () => from(deliveries) },
    model,
    sink: { write: (some) => void predictions.push(...some), close: async () => undefined },
    merge: () => ({
      sensors: model.graph.sensors.map(({ spec }) => ({ name: spec.name, latenessUs })),
      waitingMax: 100_000,
    }),
    onMalformed: "drop",
    late,
    onDrop: (dropped) => drops.push(dropped),
  });
  expect(acknowledged.toSorted((a, b) => a - b)).toEqual(items.map((_, i) => i));
  const heard = drops.reduce((sum, { from: first, to }) => sum + to - first, 0);
  expect(heard).toBe(Object.values(counts.dropped).reduce((sum, n) => sum + n, 0));
  const { dropped, anomalies } = counts;
  return { predictions, hash: stateHash(streams, model), dropped, anomalies };
}

/** What was said in the end, in order of time. */
function inTheEnd(predictions: readonly Prediction[]): readonly string[] {
  const said = new Map<string, Prediction>();
  for (const each of predictions) said.set(`${each.head} ${each.timeUs}`, each);
  return [...said.values()]
    .filter(({ retracted }) => retracted !== true)
    .sort((a, b) => a.timeUs - b.timeUs || (a.head < b.head ? -1 : 1))
    .map(({ revision: _, ...prediction }) => JSON.stringify(prediction));
}

interface Fault {
  readonly sensor: "imu" | "eye" | "ghost";
  readonly stepUs: number;
  readonly numbering: "next" | "same" | "zero" | "skip";
  readonly what: "none" | "nan" | "twice" | SensorStatus["status"];
}

const anyFault: fc.Arbitrary<Fault> = fc.record({
  sensor: fc.constantFrom("imu", "eye", "ghost"),
  stepUs: fc.constantFrom(100, 1000, -2_000_000, 400_000_000, 0),
  numbering: fc.constantFrom("next", "same", "zero", "skip"),
  what: fc.constantFrom("none", "none", "none", "nan", "twice", "idle", "left", "joined"),
});

function faultyItems(faults: readonly Fault[]): readonly StreamItem[] {
  const steps = { next: 1, same: 0, skip: 7, zero: Number.NEGATIVE_INFINITY };
  let timeUs = 10_000_000;
  let seq = 0;
  return faults.flatMap(({ sensor, stepUs, numbering, what }): readonly StreamItem[] => {
    timeUs = Math.max(0, timeUs + stepUs);
    seq = Math.max(0, seq + steps[numbering]);
    const value = what === "nan" ? Number.NaN : 0.5;
    const item =
      sensor === "eye"
        ? dvs("eye", [timeUs, timeUs + 50], seq)
        : scalar(sensor, timeUs, seq, value);
    if (what === "none" || what === "nan") return [item];
    if (what === "twice") return [item, { ...item }];
    return [item, { kind: "status", stream: "s", sensor, timeUs, seq, status: what }];
  });
}

describe("runPipeline()", () => {
  const model = testModel(["every-tick", "on-change", "last"]);

  it("says the same for every order of arrival within the lateness, bit for bit", async () => {
    const latenessUs = 5000;
    const each = fc.record({
      gapUs: fc.constantFrom(0, 0, 100, 250, 3000),
      kind: fc.constantFrom("imu", "eye", "marker"),
      delayUs: fc.nat(latenessUs - 600),
      spread: fc.array(fc.nat(500), { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(each, { minLength: 1, maxLength: 50 }), async (list) => {
        let timeUs = 0;
        const items = list.map(({ gapUs, kind, delayUs, spread }, i) => {
          timeUs += gapUs;
          const times = spread.map((after) => timeUs + after).sort((a, b) => a - b);
          const item: StreamItem =
            kind === "imu"
              ? scalar("imu", timeUs, i)
              : kind === "eye"
                ? dvs("eye", times, i)
                : { ...marker(i % 7 === 0 ? "session-start" : "segment-end", timeUs), seq: i };
          return { item, arrivalUs: timeUs + delayUs };
        });
        const inOrder = items.map(({ item }) => item);
        const arrived = items.toSorted((a, b) => a.arrivalUs - b.arrivalUs).map(({ item }) => item);
        const expected = await outcomeOf(inOrder, model, latenessUs);
        const actual = await outcomeOf(arrived, model, latenessUs);
        expect(expected.dropped).toEqual({});
        expect(actual).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it("accounts for every event of sensors that lie, stutter, reboot and die, by any policy", async () => {
    const policy = fc.constantFrom<LatePolicy>(
      { policy: "drop" },
      { policy: "apply-late" },
      { policy: "rewind", horizonUs: 500_000, horizonBytesMax: 1 << 18 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyFault, { maxLength: 60 }), policy, async (list, late) => {
        const items = faultyItems(list);
        // The pipeline itself throws if a single event is not accounted for.
        await outcomeOf(items, model, 1000, late);
      }),
      { numRuns: 200 },
    );
  });
});

const data = dataDirectory();

describe.each([
  ["GRID sentence", "grid", grid, 200_000],
  ["N-MNIST digit", "nmnist", nmnist, 30_000],
] as const)("a real %s", (_, preset, dataSet: DataSet, delayUsMax) => {
  const folder = join(data, dataSet.folder);

  it.skipIf(!existsSync(folder))(
    "with rewind, and shuffled inside the horizon, ends as it does in order, bit for bit",
    async () => {
      const first = await dataSet.recordings(folder, {}).next();
      if (first.done === true) throw new Error(`no recording in ${folder}`);
      const received = await first.value.items();
      const items = received.map(({ item }) => item).sort((a, b) => a.timeUs - b.timeUs);
      const options = { kernel: "auto", encoder: "auto" } as const;
      const model = await prepareModel(presetModel(preset, 1), options, () => undefined);
      // A packet spans time: in order, too, the next may begin before it ends.
      const spanUs = Math.max(
        ...items.map((each) => timeAt(each, itemLength(each) - 1) - each.timeUs),
      );
      const expected = await outcomeOf(items, model, spanUs);
      const random = new Random(17);
      const shuffled = items
        .map((item) => ({ item, arrivalUs: item.timeUs + random.uniform() * delayUsMax }))
        .sort((a, b) => a.arrivalUs - b.arrivalUs)
        .map(({ item }) => item);
      const horizonUs = delayUsMax + spanUs;
      const late = { policy: "rewind", horizonUs, horizonBytesMax: 1 << 28 } as const;
      const actual = await outcomeOf(shuffled, model, 0, late);
      expect(actual.dropped).toEqual({});
      expect(actual.anomalies["rewound"]).toBeGreaterThan(50);
      expect(actual.hash).toBe(expected.hash);
      expect(inTheEnd(actual.predictions)).toEqual(inTheEnd(expected.predictions));
    },
    240_000,
  );
});
