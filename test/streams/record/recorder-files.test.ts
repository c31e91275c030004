import { mkdtemp, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { from, VirtualTimeScheduler } from "rxjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import type { MergedItem } from "../../../src/streams/merge/merged-item.ts";
import { runPipeline } from "../../../src/streams/pipeline.ts";
import { FileOutput } from "../../../src/streams/record/file-output.ts";
import type { RecordingFile } from "../../../src/streams/record/mcap-file-writer.ts";
import { createRecorder, type Recorder } from "../../../src/streams/record/recorder.ts";
import { recorderMetadata } from "../../../src/streams/record/recorder-metadata.ts";
import { createFile } from "../../../src/streams/record/recording-files.ts";
import { RingOutput } from "../../../src/streams/record/ring-output.ts";
import { openRecordedLogs } from "../../../src/streams/replay/log/recorded-log.ts";
import { openRecording } from "../../../src/streams/replay/recording-reader.ts";
import { deliveriesOf, scalar } from "../items.ts";
import { lineSink } from "../line-sink.ts";
import { testModel } from "../test-model.ts";
import {
  arriving,
  fileRecorder,
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

const model = testModel(["every-tick", "on-change", "last"]);
const drop = { policy: "drop" } as const;
const metadata = recorderMetadata("r", model, drop);
const noState = (): undefined => undefined;

/** A tick of one number, as the merge gives it out. */
function tick(timeUs: number, seq: number, size = 1): MergedItem {
  const event = scalar("imu", timeUs, seq, ...Array.from({ length: size }, () => seq / 3));
  const ranges = [{ event, from: 0, to: 1, priority: 0, receivedUs: timeUs + 5 }];
  return { kind: "tick", stream: "s", timeUs, ranges, finished: [] };
}

async function itemCount(path: string): Promise<number> {
  const recording = await openRecording(path);
  await recording.close();
  return recording.channels.reduce((sum, { count }) => sum + count, 0);
}

describe("Recorder does not fall into the traps of McapWriter:", () => {
  it("what is recorded without waiting is there once", async () => {
    const path = join(folder, "a.mcap");
    const recorder = await fileRecorder(model, drop, 1e9, { path: () => path });
    for (let i = 0; i < 4000; i++) recorder.record(tick(i, i, 100), noState);
    await recorder.close();
    expect(await itemCount(path)).toBe(4000);
    expect((await stat(path)).size).toBeLessThan(4000 * 500);
  });

  it("it does not keep everything in memory until its end", async () => {
    const path = join(folder, "a.mcap");
    const recorder = await fileRecorder(model, drop, 1e9, { path: () => path });
    const random = new Random(1);
    for (let i = 0; i < 2000; i++) {
      const event = scalar("imu", i, i, ...Array.from({ length: 100 }, () => random.normal()));
      const ranges = [{ event, from: 0, to: 1, priority: 0 }];
      recorder.record({ kind: "tick", stream: "s", timeUs: i, ranges, finished: [] }, noState);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await stat(path)).size).toBeGreaterThan(300_000);
    await recorder.close();
  });

  it("little data is on the disk within a second of the clock that it was given", async () => {
    const path = join(folder, "a.mcap");
    const scheduler = new VirtualTimeScheduler();
    let synced = 0;
    const recorder = await createRecorder({
      scheduler,
      output: (table) =>
        new FileOutput(table, {
          path: () => path,
          metadata,
          create: async (name) => {
            const file = await createFile(name);
            return {
              write: file.write.bind(file) as typeof file.write,
              writev: file.writev.bind(file),
              datasync: async () => {
                synced++;
                await file.datasync();
              },
              close: () => file.close(),
            };
          },
        }),
    });
    for (let second = 1; second <= 3; second++) {
      recorder.record(tick(second * 1e6, second), noState);
      scheduler.maxFrames = second * 1000;
      scheduler.flush();
      await expect.poll(() => synced).toBeGreaterThanOrEqual(second);
      // No index and no footer: what a killed process leaves behind.
      const log = await openLog(path);
      expect(log.isEnd).toBe(false);
      const { lines } = await replayed(log, model);
      expect(lines.map((line) => JSON.parse(line).timeUs)).toContain(second * 1e6);
      await log.close();
    }
    await recorder.close();
  });

  it("short writes do not spoil the file", async () => {
    const write = async (name: string, most: number): Promise<Buffer> => {
      const path = join(folder, name);
      const recorder = await fileRecorder(model, drop, 1e9, {
        path: () => path,
        create: async (created) => {
          const file = await createFile(created);
          return {
            write: ((bytes: Uint8Array, from: number, length: number, position: number) =>
              file.write(bytes, from, Math.min(length, most), position)) as typeof file.write,
            writev: ((pieces: readonly Uint8Array[], position: number) =>
              file.writev([pieces[0]!.subarray(0, most)], position)) as typeof file.writev,
            datasync: () => file.datasync(),
            close: () => file.close(),
          };
        },
      });
      for (let i = 0; i < 50; i++) recorder.record(tick(i, i), noState);
      await recorder.close();
      return readFile(path);
    };
    expect(await write("short.mcap", 7)).toEqual(await write("whole.mcap", 1e9));
    expect(await itemCount(join(folder, "short.mcap"))).toBe(50);
  });
});

describe("Recorder", () => {
  it("leaves a file that is read up to the last whole chunk, wherever it is cut off", async () => {
    const random = new Random(7);
    const items = arriving(randomItems(random, 200), random, 2000);
    const path = join(folder, "a.mcap");
    const recorder = await fileRecorder(model, drop, 20_000, { path: () => path });
    const flushes: Promise<void>[] = [];
    const tap = (): void => void (random.below(20) === 0 && flushes.push(recorder.flush()));
    const options = { late: drop, latenessUs: packetUsMax + 2000 };
    const live = await outcomeOf(items, model, { ...options, recorder, tap });
    await Promise.all(flushes);
    await recorder.close();
    const { size } = await stat(path);
    const lengths = new Set<number>();
    for (let left = size - 1; left > 500; left -= 1 + random.below(size / 20)) {
      await truncate(path, left);
      const [entry] = await openRecordedLogs([path]);
      if (entry?.log === undefined) break;
      const { lines } = await replayed(entry.log, model);
      expect(lines, `${left} of ${size} bytes`).toEqual(live.lines.slice(0, lines.length));
      lengths.add(lines.length);
      await entry.log.close();
    }
    expect(lengths.size).toBeGreaterThan(5);
  });

  it("rotates by size and by time; each part can be replayed by itself, all are one run", async () => {
    for (const limits of [{ rotateBytes: 6000 }, { rotateUs: 25_000 }]) {
      const random = new Random(3);
      const items = arriving(randomItems(random, 300), random, 2000);
      const name = Object.keys(limits)[0]!;
      const recorder = await fileRecorder(model, drop, 5_000, {
        ...limits,
        path: (part) => join(folder, `${name}-${part}.mcap`),
      });
      const options = { late: drop, latenessUs: packetUsMax + 2000 };
      const live = await outcomeOf(items, model, { ...options, recorder });
      await recorder.close();
      const names = (await readdir(folder)).filter((each) => each.startsWith(name)).sort();
      expect(names.length).toBeGreaterThan(2);
      const paths = names.map((each) => join(folder, each));
      const log = await openLog(...paths);
      const whole = await replayed(log, model);
      expect([whole.lines, whole.hash]).toEqual([live.lines, live.hash]);
      await log.close();
      const lines: string[] = [];
      for (const path of paths) {
        const part = await openLog(path);
        lines.push(...(await replayed(part, model)).lines);
        await part.close();
      }
      expect(lines).toEqual(live.lines);
    }
  });

  it("keeps the last stretch of time in memory and writes it when asked", async () => {
    const random = new Random(11);
    const items = arriving(randomItems(random, 400), random, 2000);
    const path = (dump: number): string => join(folder, `ring-${dump}.mcap`);
    const recorder: Recorder = await createRecorder({
      keyframeUs: 10_000,
      output: (table) => new RingOutput(table, { keepUs: 40_000, path, metadata }),
    });
    const dumps: Promise<string>[] = [];
    let ticks = 0;
    const tap = (): void => {
      if (++ticks % 200 === 0) dumps.push(recorder.dump());
    };
    const options = { late: drop, latenessUs: packetUsMax + 2000 };
    const live = await outcomeOf(items, model, { ...options, recorder, tap });
    dumps.push(recorder.dump());
    await recorder.close();
    const written = await Promise.all(dumps);
    expect(written.length).toBeGreaterThan(2);
    expect(await readdir(folder)).toHaveLength(written.length);
    const log = await openLog(written.at(-1)!);
    expect((await log.keyframes())[0]!.chunk).toBe(0);
    const { lines } = await replayed(log, model);
    // The dump does not know that the run is over: the last word is missing.
    expect(lines).toEqual(live.lines.slice(-lines.length - 1, -1));
    expect(lines.length).toBeLessThan(live.lines.length / 2);
    const times = lines.map((line) => JSON.parse(line).timeUs as number);
    const spanUs = times.at(-1)! - times[0]!;
    expect(spanUs).toBeGreaterThan(35_000);
    expect(spanUs).toBeLessThan(60_000);
    await log.close();
    const files = await fileRecorder(model, drop, 1e9, { path: () => join(folder, "a.mcap") });
    expect(() => files.dump()).toThrow("the recorder writes everything to files");
    await files.close();
  });

  it("lets a source wait for a slow disk, which does not have to keep up with a replay", async () => {
    const path = join(folder, "slow.mcap");
    let release = (): void => undefined;
    let ready: Promise<void> | undefined;
    const recorder = await fileRecorder(model, drop, 1e9, {
      path: () => path,
      create: async (name) => {
        const file = await createFile(name);
        const write = async (...args: Parameters<RecordingFile["write"]>) => {
          await ready;
          return file.write(...args);
        };
        return {
          write: write as RecordingFile["write"],
          writev: file.writev.bind(file),
          datasync: () => file.datasync(),
          close: () => file.close(),
        };
      },
    });
    ready = new Promise((resolve) => {
      release = resolve;
    });
    const random = new Random(1);
    let bytes = 0;
    for (let i = 0; recorder.busy === undefined; i++) {
      const event = scalar("big", i, i, ...Array.from({ length: 10_000 }, () => random.normal()));
      const ranges = [{ event, from: 0, to: 1, priority: 0, receivedUs: i }];
      recorder.record({ kind: "tick", stream: "s", timeUs: i, ranges, finished: [] }, noState);
      bytes += event.values.byteLength;
    }
    expect(bytes).toBeGreaterThan(8 * 2 ** 20);
    expect(bytes).toBeLessThan(10 * 2 ** 20);
    const { deliveries, acknowledged } = deliveriesOf([
      scalar("imu", 1e6, 0),
      scalar("imu", 2e6, 1),
    ]);
    const run = runPipeline({
      ...{ source: { open: () => from(deliveries) }, model, recorder, onMalformed: "fail" },
      sink: lineSink(),
      merge: () => ({ sensors: [{ name: "imu", latenessUs: 0 }], waitingMax: 100 }),
    });
    await delay(50);
    expect(acknowledged).toEqual([]);
    release();
    await run;
    expect(acknowledged).toEqual([0, 1]);
    expect(recorder.busy).toBeUndefined();
    await recorder.close();
  });

  it("fails the run when the disk does, and never overwrites a recording", async () => {
    const full = await fileRecorder(model, drop, 5_000, {
      path: () => join(folder, "full.mcap"),
      create: async (path) => {
        const file = await createFile(path);
        let left = 2000;
        const write = (async (bytes: Uint8Array, from: number, length: number, at: number) => {
          left -= length;
          if (left < 0) throw new Error("ENOSPC: no space left on device, write");
          return file.write(bytes, from, length, at);
        }) as typeof file.write;
        return {
          write,
          writev: file.writev.bind(file),
          datasync: () => file.datasync(),
          close: () => file.close(),
        };
      },
    });
    for (let i = 0; i < 100; i++) full.record(tick(i, i), noState);
    await full.flush();
    expect(() => full.record(tick(100, 100), noState)).toThrow("Cannot record: ENOSPC");
    await expect(full.close()).rejects.toThrow("Cannot record: ENOSPC");
    const path = join(folder, "full.mcap");
    const before = await readFile(path);
    const second = fileRecorder(model, drop, 5_000, { path: () => path });
    await expect(second).rejects.toThrow(`Cannot write recording ${path}: there is a file already`);
    expect(await readFile(path)).toEqual(before);
  });
});
