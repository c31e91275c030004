import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { from } from "rxjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGovernor, type Governor } from "../../../src/fusion/governor/governor.ts";
import { Random } from "../../../src/sensors/random.ts";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { stateHash } from "../../../src/state/checkpoint.ts";
import type { StreamGovernorDecision } from "../../../src/streams/fuse/governing.ts";
import type { LatePolicy } from "../../../src/streams/fuse/late-policy.ts";
import { runPipeline } from "../../../src/streams/pipeline.ts";
import { FileOutput } from "../../../src/streams/record/file-output.ts";
import { createRecorder, type Recorder } from "../../../src/streams/record/recorder.ts";
import { recorderMetadata } from "../../../src/streams/record/recorder-metadata.ts";
import type { RecordedLog } from "../../../src/streams/replay/log/recorded-log.ts";
import { type LogReplayOptions, replayLog } from "../../../src/streams/replay/log/replay-log.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { dvs, marker, scalar } from "../items.ts";
import { lineSink } from "../line-sink.ts";
import { testModel } from "../test-model.ts";
import { arriving, openLog } from "./record-run.ts";

const model = testModel(["every-tick", "per-segment"]);

/** The same levels, decided upon otherwise. */
function governorOf(usPerSecond: number): Governor {
  const floors = new Map([
    ["e", 0.5],
    ["m", 0.125],
  ]);
  return createGovernor(model.graph, { usPerSecond, floors });
}
const governor = governorOf(12);
const otherGovernor = governorOf(60);

/**
 * 36 seconds with a load that comes and goes; most decisions fall inside of packets, some right
 * behind a segment's end, and a second session begins in the middle.
 */
function busyItems(): readonly StreamItem[] {
  const items: StreamItem[] = [marker("session-start", 0)];
  for (let seq = 0; seq < 72; seq++) {
    const startUs = 500_000 * seq;
    const gapUs = seq % 24 < 8 ? 5_000 : 60_000;
    const times = Array.from(
      { length: Math.floor(480_000 / gapUs) },
      (_, i) => startUs + gapUs * i,
    );
    items.push(dvs("eye", times, seq), scalar("imu", startUs + 250_000, seq));
    if (seq % 3 === 0) items.push({ ...marker("segment-end", startUs + 499_000), seq });
    if (seq === 37) items.push({ ...marker("session-start", startUs + 499_500), seq });
  }
  return items.sort((a, b) => a.timeUs - b.timeUs);
}

interface Governed {
  readonly lines: readonly string[];
  readonly hash: string;
  readonly decisions: readonly StreamGovernorDecision[];
}

async function live(
  deliveries: readonly Delivery[],
  late: LatePolicy,
  recorder: Recorder,
): Promise<Governed> {
  const sink = lineSink();
  const decisions: StreamGovernorDecision[] = [];
  const random = new Random(1);
  const { streams } = await runPipeline({
    ...{ source: { open: () => from(deliveries) }, model, sink, recorder, late },
    merge: () => ({
      sensors: ["imu", "eye"].map((name) => ({ name, latenessUs: 500_000 })),
      waitingMax: 1000,
    }),
    onMalformed: "fail",
    governing: { governor, onDecision: (decision) => decisions.push(decision) },
    // Chunks end anywhere.
    tap: () => void (random.below(9) === 0 && recorder.flush()),
  });
  await recorder.close();
  return { lines: sink.lines, hash: stateHash(streams, model), decisions };
}

async function replay(
  log: RecordedLog,
  by: Governor,
  options: Partial<LogReplayOptions> = {},
): Promise<Governed & { readonly keyframes: number }> {
  const sink = lineSink();
  const decisions: StreamGovernorDecision[] = [];
  let keyframes = 0;
  const { streams } = await replayLog(log, {
    ...{ model, sink, inFlightMax: 1000 },
    governing: { governor: by, onDecision: (decision) => decisions.push(decision) },
    onKeyframe: ({ checkpoint, timeUs }, now) => {
      keyframes++;
      if (by === governor) expect(Buffer.compare(checkpoint, now), `at ${timeUs}`).toBe(0);
    },
    ...options,
  });
  return { lines: sink.lines, hash: stateHash(streams, model), decisions, keyframes };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-decisions-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function recorderAt(path: string, late: LatePolicy): Promise<Recorder> {
  return createRecorder({
    keyframeUs: 1_700_000,
    output: (table) =>
      new FileOutput(table, {
        path: () => path,
        metadata: recorderMetadata("r", model, late, "12us/s"),
      }),
  });
}

async function decisionsIn(log: RecordedLog): Promise<readonly StreamGovernorDecision[]> {
  const found: StreamGovernorDecision[] = [];
  for await (const entries of log.entries(0, log.chunks)) {
    for (const entry of entries) {
      if (entry.kind !== "decision" || entry.decision.kind !== "governor") continue;
      found.push(entry.decision as unknown as StreamGovernorDecision);
    }
  }
  return found;
}

describe("a recorder of a run under a compute budget", () => {
  it.each([
    [{ policy: "drop" }, 0],
    [{ policy: "apply-late" }, 900_000],
  ] as const)(
    "records each decision, which the replay takes, also from every keyframe (%o)",
    async (late, delayUs) => {
      const path = join(folder, "log.mcap");
      const deliveries = arriving(busyItems(), new Random(3), delayUs);
      const ran = await live(deliveries, late, await recorderAt(path, late));
      expect(ran.decisions.length).toBeGreaterThan(5);
      const log = await openLog(path);
      expect(await decisionsIn(log)).toEqual(ran.decisions);
      const { keyframes, ...again } = await replay(log, governor);
      expect(again).toEqual(ran);
      expect(keyframes).toBeGreaterThan(8);
      // Its own rule would say something else: what it repeats is what was recorded.
      const other = await replay(log, otherGovernor);
      expect(other.lines).toEqual(ran.lines);
      expect(other.decisions).toEqual(ran.decisions);
      const ruled = await replay(log, otherGovernor, { sensors: new Set(["imu", "eye"]) });
      expect(ruled.decisions).not.toEqual(ran.decisions);
      for (const { chunk } of await log.keyframes()) {
        const segment = { from: chunk, to: log.chunks, states: await log.states(chunk) };
        for (const by of [governor, otherGovernor]) {
          const rest = await replay(log, by, { segment });
          expect(rest.lines).toEqual(ran.lines.slice(ran.lines.length - rest.lines.length));
          const after = ran.decisions.length - rest.decisions.length;
          expect(rest.decisions).toEqual(ran.decisions.slice(after));
          if (by === governor) expect(rest.hash).toBe(ran.hash);
        }
      }
      await log.close();
    },
  );

  it("records them again, once each, when a replay that follows them is recorded", async () => {
    const late = { policy: "drop" } as const;
    const [first, second] = [join(folder, "1.mcap"), join(folder, "2.mcap")];
    const deliveries = arriving(busyItems(), new Random(3), 0);
    const ran = await live(deliveries, late, await recorderAt(first, late));
    const log = await openLog(first);
    const recorder = await recorderAt(second, late);
    await replay(log, governor, { recorder });
    await recorder.close();
    const third = join(folder, "3.mcap");
    const partly = await recorderAt(third, late);
    const eye = await replay(log, governor, {
      ...{ recorder: partly, sensors: new Set(["eye"]), onKeyframe: () => undefined },
    });
    await partly.close();
    await log.close();
    // Of other events other decisions: none of those that were made then are among them.
    expect(eye.decisions).not.toEqual(ran.decisions);
    const part = await openLog(third);
    expect(await decisionsIn(part)).toEqual(eye.decisions);
    await part.close();
    const copy = await openLog(second);
    expect(await decisionsIn(copy)).toEqual(ran.decisions);
    expect((await replay(copy, governor)).hash).toBe(ran.hash);
    await copy.close();
  });

  it("leaves decisions to the rule where late events are rewound, which change them", async () => {
    const late = { policy: "rewind", horizonUs: 2_000_000, horizonBytesMax: 1 << 24 } as const;
    const path = join(folder, "log.mcap");
    const deliveries = arriving(busyItems(), new Random(3), 900_000);
    const ran = await live(deliveries, late, await recorderAt(path, late));
    const log = await openLog(path);
    expect(await decisionsIn(log)).toEqual([]);
    const { keyframes: _, ...again } = await replay(log, governor);
    expect(again).toEqual(ran);
    await log.close();
  });
});
