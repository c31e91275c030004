import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayRecordedLog } from "../../../src/cli/replay/replay-recorded-log.ts";
import { Random } from "../../../src/sensors/random.ts";
import { stateHash } from "../../../src/state/checkpoint.ts";
import type { LatePolicy } from "../../../src/streams/fuse/late-policy.ts";
import type { RecordedLog } from "../../../src/streams/replay/log/recorded-log.ts";
import { logFrom } from "../../../src/streams/replay/log/replay-log.ts";
import { lineSink } from "../line-sink.ts";
import { testModel } from "../test-model.ts";
import {
  arriving,
  fileRecorder,
  type Outcome,
  openLog,
  outcomeOf,
  packetUsMax,
  randomItems,
  replayed,
} from "./record-run.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-recorder-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const roles = ["every-tick", "on-change", "per-segment", "last"];
const policies: readonly LatePolicy[] = [
  { policy: "drop" },
  { policy: "apply-late" },
  { policy: "rewind", horizonUs: 30_000, horizonBytesMax: 1 << 24 },
];

/** @returns keyframes looked at */
async function expectSameFromEveryKeyframe(log: RecordedLog, live: Outcome): Promise<number> {
  const model = testModel(roles);
  const keyframes = await log.keyframes();
  for (const { chunk, timesUs } of keyframes) {
    const segment = { from: chunk, to: log.chunks, states: await log.states(chunk) };
    const rest = await replayed(log, model, { segment });
    expect(rest.hash).toBe(live.hash);
    expect(rest.lines.length).toBeGreaterThan(0);
    expect(rest.lines).toEqual(live.lines.slice(-rest.lines.length));
    const said = live.lines.filter((line) => JSON.parse(line).timeUs >= timesUs.get("s")!);
    expect(rest.lines.length).toBeGreaterThanOrEqual(said.length);
  }
  return keyframes.length;
}

describe("Recorder", () => {
  it.each(policies)(
    "records a run so that its replay is the same, from the beginning and from every keyframe (%o)",
    async (late) => {
      const model = testModel(roles);
      let lateEvents = 0;
      let resumed = 0;
      for (let seed = 0; seed < 6; seed++) {
        const random = new Random(seed);
        const items = arriving(randomItems(random), random, random.below(12_000));
        const path = join(folder, `${late.policy}-${seed}.mcap`);
        const recorder = await fileRecorder(model, late, 1000 + random.below(8000), {
          path: () => path,
        });
        const latenessUs = packetUsMax + random.below(6_000);
        // Chunks end anywhere, also inside of packets and between the events of one push.
        const tap = (): void => void (random.below(7) === 0 && recorder.flush());
        const live = await outcomeOf(items, model, { late, latenessUs, recorder, tap });
        await recorder.close();
        const plain = await outcomeOf(items, model, { late, latenessUs });
        expect(live.lines, `seed ${seed}`).toEqual(plain.lines);

        const log = await openLog(path);
        const replay = await replayed(log, model);
        expect(replay.lines, `seed ${seed}`).toEqual(live.lines);
        expect(replay.hash).toBe(live.hash);
        const { rewound = 0, "applied-late": applied = 0 } = live.counts.anomalies;
        lateEvents += rewound + applied + (live.counts.dropped["late"] ?? 0);
        const { "seq-gap": gap, reboot } = live.counts.anomalies;
        const again = replay.counts.anomalies;
        expect([again["seq-gap"], again["reboot"]]).toEqual([gap, reboot]);

        if (late.policy !== "rewind") resumed += await expectSameFromEveryKeyframe(log, live);
        await log.close();
      }
      expect(lateEvents).toBeGreaterThan(20);
      expect(resumed).toBeGreaterThan(late.policy === "rewind" ? -1 : 10);
    },
  );

  it("rewinds after a resume as the whole run did, from a keyframe that is old enough", async () => {
    const model = testModel(roles);
    const late = { policy: "rewind", horizonUs: 3_000, horizonBytesMax: 1 << 24 } as const;
    const outcomes = { same: 0, refused: 0 };
    for (let seed = 0; seed < 12; seed++) {
      const random = new Random(seed);
      const items = arriving(randomItems(random), random, 6_000);
      const path = join(folder, `${seed}.mcap`);
      const recorder = await fileRecorder(model, late, 2_000, { path: () => path });
      const live = await outcomeOf(items, model, { late, latenessUs: 1_000, recorder });
      await recorder.close();
      const log = await openLog(path);
      const startUs = 20_000;
      const segment = await logFrom(log, model, startUs);
      expect(segment.from).toBeGreaterThan(0);
      const inWindow = (lines: readonly string[]): readonly string[] =>
        lines.filter((line) => JSON.parse(line).timeUs >= startUs);
      await replayed(log, model, { segment }).then(
        (rest) => {
          expect(inWindow(rest.lines)).toEqual(inWindow(live.lines));
          expect(rest.hash).toBe(live.hash);
          outcomes.same++;
        },
        (error) => {
          expect(error.message).toMatch(/Cannot rewind to \d+ µs: the run was resumed from/);
          outcomes.refused++;
        },
      );
      // The command looks for an earlier keyframe then.
      const sink = lineSink();
      const { streams } = await replayRecordedLog(log, {
        ...{ model, late: log.late, start: { from: "epoch", us: startUs } },
        ...{ warn: () => undefined, pipeline: { model, sink, late: log.late } },
      });
      expect(sink.lines).toEqual(inWindow(live.lines));
      expect(stateHash(streams, model)).toBe(live.hash);
      await log.close();
    }
    expect(outcomes.same).toBeGreaterThan(3);
    expect(outcomes.refused).toBeGreaterThan(0);
  });
});
