import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { presetModel } from "../../../src/cli/load-model.ts";
import { replayInParallel } from "../../../src/cli/replay/parallel/replay-in-parallel.ts";
import { replayRecordedLog } from "../../../src/cli/replay/replay-recorded-log.ts";
import type { ReplayRequest } from "../../../src/cli/run-replay.ts";
import { Random } from "../../../src/sensors/random.ts";
import { stateHash } from "../../../src/state/checkpoint.ts";
import { filterLog } from "../../../src/streams/log/filter-log.ts";
import { mergeLogs } from "../../../src/streams/log/merge-logs.ts";
import type { LogOrder } from "../../../src/streams/log/order-entries.ts";
import { recoverLog } from "../../../src/streams/log/recover-log.ts";
import { type ChannelSelection, isSelected } from "../../../src/streams/log/select-channel.ts";
import { NdjsonSink } from "../../../src/streams/ndjson/ndjson-sink.ts";
import type { RecordedLog } from "../../../src/streams/replay/log/recorded-log.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { lineSink } from "../line-sink.ts";
import {
  arriving,
  fileRecorder,
  type Outcome,
  openLog,
  outcomeOf,
  packetUsMax,
  randomItems,
  replayed,
} from "../record/record-run.ts";
import { testModel } from "../test-model.ts";

const folder = mkdtempSync(join(tmpdir(), "polyphase-recorded-runs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const pathOf = (name: string): string => join(folder, `${name}.mcap`);

const model = testModel(["every-tick", "per-segment"]);
const drop = { policy: "drop" } as const;
/** Items that wait this long: much of `t` is applied only after `s` has ended. */
const latenessUs = packetUsMax + 4_000;

/** Items of each stream, delayed so that receive times and event times are of different order. */
function arrivals(seed: number, ...streams: readonly string[]): readonly Delivery[] {
  const random = new Random(seed);
  return streams
    .flatMap((stream) => {
      const count = stream === "s" ? 120 : 160;
      const items = randomItems(random, count).map((item) => ({ ...item, stream }));
      return arriving(items, random, 4_000);
    })
    .sort((a, b) => a.receivedUs! - b.receivedUs!);
}

/** Records a run to `<name>.mcap`, in chunks that end anywhere. */
async function record(name: string, deliveries: readonly Delivery[]): Promise<Outcome> {
  const random = new Random(9);
  const recorder = await fileRecorder(model, drop, 6_000, { path: () => pathOf(name) });
  const tap = (): void => void (random.below(7) === 0 && recorder.flush());
  const live = await outcomeOf(deliveries, model, { late: drop, latenessUs, recorder, tap });
  await recorder.close();
  expect(live.counts.fused).toBeGreaterThan(100);
  return live;
}

const ran = await record("run", arrivals(1, "s", "t"));

/** Lines of one stream; which stream speaks first is no matter. */
function linesOf({ lines }: Pick<Outcome, "lines">, stream: string): readonly string[] {
  return lines.filter((line) => JSON.parse(line).stream === stream);
}

/** @returns how many keyframes the rest of the run was replayed from */
async function expectExactKeyframes(log: RecordedLog, whole: Outcome): Promise<number> {
  const places = await log.keyframes();
  for (const { chunk, timesUs } of places) {
    const segment = { from: chunk, to: log.chunks, states: await log.states(chunk) };
    const rest = await replayed(log, model, { segment });
    expect(rest.hash, `chunk ${chunk}`).toBe(whole.hash);
    for (const [stream, timeUs] of timesUs) {
      const lines = linesOf(rest, stream);
      const all = linesOf(whole, stream);
      expect(lines, `chunk ${chunk}`).toEqual(all.slice(all.length - lines.length));
      const due = all.filter((line) => JSON.parse(line).timeUs >= timeUs).length;
      expect(lines.length).toBeGreaterThanOrEqual(due);
    }
  }
  return places.length;
}

describe("recoverLog() of a recorded run", () => {
  it("leaves every state where it is that of all streams, and no other for a place to begin", async () => {
    await recoverLog(pathOf("run"), pathOf("recovered"));
    const [original, log] = [await openLog(pathOf("run")), await openLog(pathOf("recovered"))];
    expect((await replayed(log, model)).hash).toBe(ran.hash);
    expect(await expectExactKeyframes(original, ran)).toBeGreaterThan(5);
    expect(await expectExactKeyframes(log, ran)).toBeGreaterThan(5);
    for (const each of [original, log]) await each.close();
  });

  it("in chunks of which many have no watermark: a replay reads on, however few may be in flight", async () => {
    await recoverLog(pathOf("run"), pathOf("small"), { chunkBytes: 1 });
    const log = await openLog(pathOf("small"));
    expect(log.chunks).toBeGreaterThan(200);
    expect((await replayed(log, model, { inFlightMax: 1 })).hash).toBe(ran.hash);
    await log.close();
  });

  it("of a damaged chunk: the run goes on from every state behind it, bit for bit", async () => {
    const original = await openLog(pathOf("run"));
    const places = await original.keyframes();
    const { offset, length } = original.files[0]!.chunks[places[3]!.chunk + 2]!;
    await original.close();
    const bytes = readFileSync(pathOf("run"));
    bytes[Number(offset + length / 2n)]! ^= 0x55;
    writeFileSync(pathOf("damaged"), bytes);
    const report = await recoverLog(pathOf("damaged"), pathOf("saved"));
    expect(report.losses.map(({ reason }) => reason)).toEqual(["chunk-damaged"]);
    const log = await openLog(pathOf("saved"));
    const saved = await log.keyframes();
    const behind = saved.filter(({ timesUs }) => timesUs.get("s")! >= places[4]!.timesUs.get("s")!);
    expect(behind.length).toBeGreaterThan(2);
    for (const { chunk } of behind) {
      const segment = { from: chunk, to: log.chunks, states: await log.states(chunk) };
      const rest = await replayed(log, model, { segment });
      expect(rest.hash).toBe(ran.hash);
      for (const stream of ["s", "t"]) {
        const lines = linesOf(rest, stream);
        const all = linesOf(ran, stream);
        expect(lines).toEqual(all.slice(all.length - lines.length));
      }
    }
    await log.close();
  });

  it("of a damaged chunk: a replay from before it takes the first state behind it, and says so", async () => {
    const original = await openLog(pathOf("run"));
    const places = await original.keyframes();
    // All that lies between two states but the second state.
    const lost = original.files[0]!.chunks.slice(places[2]!.chunk, places[3]!.chunk);
    await original.close();
    const bytes = readFileSync(pathOf("run"));
    for (const { offset, length } of lost) bytes[Number(offset + length / 2n)]! ^= 0x55;
    writeFileSync(pathOf("damaged"), bytes);
    await recoverLog(pathOf("damaged"), pathOf("saved"));
    const log = await openLog(pathOf("saved"));
    expect((await replayed(log, model)).hash).not.toBe(ran.hash);
    const warnings: string[] = [];
    const sink = lineSink();
    const { streams, counts } = await replayRecordedLog(log, {
      ...{ model, late: undefined, pipeline: { model, sink } },
      warn: (warning) => warnings.push(warning),
    });
    expect(stateHash(streams, model)).toBe(ran.hash);
    expect(warnings).toEqual([
      expect.stringMatching(
        /saved\.mcap has lost \d+ events of stream [st] before \d+ µs: the replay/,
      ),
    ]);
    expect(counts.anomalies["log-hole"]).toBeGreaterThan(0);
    expect(counts.anomalies["log-hole"]).toBeLessThanOrEqual(ran.counts.fused - counts.fused);
    const behind = places[3]!.timesUs;
    for (const stream of ["s", "t"]) {
      const since = (lines: readonly string[]): readonly string[] =>
        lines.filter((line) => JSON.parse(line).timeUs >= behind.get(stream)!);
      const rest = since(linesOf(sink, stream));
      expect(rest.length).toBeGreaterThan(5);
      expect(rest).toEqual(since(linesOf(ran, stream)));
    }
    await log.close();
  });

  it("takes no recorded state where nothing is missing, wherever a replay ends", async () => {
    const log = await openLog(pathOf("run"));
    const places = await log.keyframes();
    const warnings: string[] = [];
    const ends = places.flatMap(({ timesUs }) => [...timesUs.values()]);
    for (const endUs of [undefined, ...ends.map((timeUs) => timeUs - 1)]) {
      const { streams, counts } = await replayRecordedLog(log, {
        ...{ model, late: undefined, pipeline: { model, sink: lineSink() } },
        ...(endUs === undefined ? {} : { end: { from: "epoch", us: endUs } as const }),
        warn: (warning) => warnings.push(warning),
      });
      if (endUs === undefined) expect(stateHash(streams, model)).toBe(ran.hash);
      expect(counts.anomalies["log-hole"]).toBeUndefined();
    }
    expect(warnings).toEqual([]);
    await log.close();
  });

  it("of a file that was cut off: the run up to its last whole chunk, from every state in it", async () => {
    const bytes = readFileSync(pathOf("run"));
    writeFileSync(pathOf("cut"), bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    await recoverLog(pathOf("cut"), pathOf("rest"));
    const [cut, log] = [await openLog(pathOf("cut")), await openLog(pathOf("rest"))];
    const whole = await replayed(cut, model);
    for (const stream of ["s", "t"]) {
      const lines = linesOf(whole, stream);
      expect(lines).toEqual(linesOf(ran, stream).slice(0, lines.length));
    }
    expect((await replayed(log, model)).hash).toBe(whole.hash);
    expect(await expectExactKeyframes(log, whole)).toBeGreaterThan(3);
    for (const each of [cut, log]) await each.close();
  });
});

describe("filterLog() of a recorded run", () => {
  async function filtered(selection: ChannelSelection, more: { readonly from?: bigint } = {}) {
    const result = await filterLog(pathOf("run"), pathOf("part"), {
      wanted: (channel) => isSelected(channel, selection),
      by: "sensor",
      ...more,
    });
    return { ...result, log: await openLog(pathOf("part")) };
  }

  it("leaves out the states that saw what is left out, and keeps the others", async () => {
    const original = await openLog(pathOf("run"));
    const { log: eyes, keyframesLeftOut } = await filtered({ sensors: ["eye"] });
    expect(keyframesLeftOut).toBeGreaterThan(10);
    expect(await eyes.keyframes()).toEqual([]);
    const selected = await replayed(original, model, { sensors: new Set(["eye"]) });
    expect((await replayed(eyes, model)).hash).toBe(selected.hash);
    await eyes.close();

    const { log: one, keyframesLeftOut: none } = await filtered({ streams: ["t"] });
    expect(none).toBe(0);
    const alone = await replayed(one, model);
    expect(alone.lines).toEqual(linesOf(ran, "t"));
    expect(await expectExactKeyframes(one, alone)).toBeGreaterThan(5);
    for (const each of [original, one]) await each.close();
  });

  it("of a file that begins in the middle of a run: also the state that it begins with", async () => {
    const recorder = await fileRecorder(model, drop, 6_000, {
      path: (part) => pathOf(`rotated-${part}`),
      rotateUs: 20_000,
    });
    await outcomeOf(arrivals(1, "s"), model, { late: drop, latenessUs, recorder });
    await recorder.close();
    const wanted = (channel: Parameters<typeof isSelected>[0]): boolean =>
      isSelected(channel, { sensors: ["eye"] });
    for (const from of [pathOf("rotated-2"), pathOf("again")]) {
      // Told apart: where channels are described is not the same in a file that was written anew.
      if (from === pathOf("again")) await recoverLog(pathOf("rotated-2"), from);
      await filterLog(from, pathOf("part"), { wanted, by: "sensor" });
      const log = await openLog(pathOf("part"));
      expect([...(await log.states(0))]).toEqual([]);
      await log.close();
    }
  });

  it("of a stretch of time: the run goes on from every state that is left", async () => {
    let torn = 0;
    for (let fromMs = 10; fromMs < 30; fromMs++) {
      const { log, keyframesLeftOut } = await filtered({}, { from: BigInt(fromMs) * 1_000_000n });
      torn += keyframesLeftOut;
      expect(await log.keyframes()).not.toEqual([]);
      for (const { chunk } of await log.keyframes()) {
        const segment = { from: chunk, to: log.chunks, states: await log.states(chunk) };
        expect((await replayed(log, model, { segment })).hash, `${fromMs} ms`).toBe(ran.hash);
      }
      await log.close();
    }
    // Of some stretches a state of one stream lies inside and that of the other outside.
    expect(torn).toBeGreaterThan(0);
  });
});

describe("mergeLogs() of recorded runs", () => {
  it.each<LogOrder>(["log", "sensor"])(
    "gives the events of both, and no state of only one of them (by %s)",
    async (order) => {
      const [s, t] = [
        await record(`s-${order}`, arrivals(2, "s")),
        await record(`t-${order}`, arrivals(3, "t")),
      ];
      const paths = [pathOf(`s-${order}`), pathOf(`t-${order}`)];
      const { keyframesLeftOut } = await mergeLogs(paths, pathOf(`both-${order}`), { order });
      expect(keyframesLeftOut).toBeGreaterThan(10);
      const log = await openLog(pathOf(`both-${order}`));
      expect(await log.keyframes()).toEqual([]);
      const both = await replayed(log, model);
      expect(linesOf(both, "s")).toEqual(s.lines);
      expect(linesOf(both, "t")).toEqual(t.lines);
      expect(both.counts.fused).toBe(s.counts.fused + t.counts.fused);
      await log.close();
    },
  );
});

describe("replayInParallel()", () => {
  it("refuses runs whose late events were rewound: they reach back beyond a segment", async () => {
    const late = { policy: "rewind", horizonUs: 30_000, horizonBytesMax: 1 << 24 } as const;
    const recorder = await fileRecorder(model, late, 6_000, { path: () => pathOf("rewound") });
    const live = await outcomeOf(arrivals(4, "s"), model, { late, latenessUs: 0, recorder });
    await recorder.close();
    expect(live.counts.anomalies["rewound"]).toBeGreaterThan(5);
    const request = requestOf("rewound");
    await expect(replayInParallel(request, 2, others)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("late events rewind it, beyond the beginnings of its"),
    });
    expect(request.digest.written).toBe(0);
  });

  it("is the run in one thread, without a thread beside it", async () => {
    const log = await openLog(pathOf("run"));
    const { lines } = await replayed(log, model);
    await log.close();
    const summary = await replayInParallel(requestOf("run"), 1, others);
    const sink = new NdjsonSink();
    const text = lines.map((line) => `${line}\n`).join("");
    await sink.writeLines(new TextEncoder().encode(text), lines.length);
    expect(summary.digest).toBe(sink.digest());
    expect(summary.stateHash).toBe(ran.hash);
  });

  it("says what is damaged, and where, after all that was said before", async () => {
    const log = await openLog(pathOf("run"));
    const places = await log.keyframes();
    const { offset, length } = log.files[0]!.chunks[places.at(-1)!.chunk + 1]!;
    await log.close();
    const bytes = readFileSync(pathOf("run"));
    bytes[Number(offset + length) - 1]! ^= 1;
    writeFileSync(pathOf("damaged"), bytes);
    const request = requestOf("damaged");
    await expect(replayInParallel(request, 1, others)).rejects.toMatchObject({
      code: "BAD_RECORDING",
      message: expect.stringMatching(/^Cannot replay segment \d+: .*damaged\.mcap/),
    });
    expect(request.digest.written).toBeGreaterThan(0);
  });
});

/** What threads beside this one would be given. */
const others = { stored: presetModel("scene", 1), kernel: "auto", encoder: "auto" } as const;

function requestOf(name: string): ReplayRequest {
  const digest = new NdjsonSink(undefined);
  const paths = [pathOf(name)];
  return { paths, model, weights: "", sink: digest, digest, order: "recorded" };
}
