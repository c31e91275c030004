import { afterAll, describe, expect, it, vi } from "vitest";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import type { Prediction } from "../../../src/fusion/prediction.ts";
import { Random } from "../../../src/sensors/random.ts";
import type { SensorEvent } from "../../../src/sensors/sensor-event.ts";
import { encodeCheckpoint } from "../../../src/state/checkpoint.ts";
import { StreamFusion } from "../../../src/streams/fuse/stream-fusion.ts";
import type { MergedItem } from "../../../src/streams/merge/merged-item.ts";
import { FusionWorkerPool } from "../../../src/streams/workers/fusion-worker-pool.ts";
import { shardOf } from "../../../src/streams/workers/sharded-workers.ts";
import { dvs, marker, scalar } from "../items.ts";
import { storedTestModel, testModel } from "../test-model.ts";

// Threads start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const roles = ["every-tick", "on-change", "per-segment", "last"];
const entry = new URL("./typescript-fusion-worker.mjs", import.meta.url);
const kernel = createWasmKernel();
const pool = new FusionWorkerPool(kernel, storedTestModel(roles), { workers: 2, entry });
afterAll(() => pool.close());
/** On one thread, in the kernel of TypeScript. */
const model = testModel(roles, "sparse-f32");

/** Ticks of both sensors, runs of one and markers, with acknowledgements that cannot be copied. */
function randomItems(stream: string, seed: number): readonly MergedItem[] {
  const random = new Random(seed);
  const finished = [{ item: marker("segment-end", 0), acknowledge: () => undefined }];
  let timeUs = 0;
  return Array.from({ length: 120 }, (_, seq): MergedItem => {
    timeUs += 1 + random.below(2000);
    const kind = random.below(8);
    const base = { stream, timeUs, finished };
    if (kind === 0) {
      return { ...base, kind: "marker", marker: marker("segment-end", timeUs) };
    }
    if (kind < 4) {
      const times = Array.from({ length: 5 }, (_, i) => timeUs + 10 * i);
      const event = dvs("eye", times, seq);
      timeUs += 50;
      return { ...base, kind: "run", range: { event, from: 0, to: 5, priority: 1 } };
    }
    const events: SensorEvent[] = [scalar("imu", timeUs, seq, random.normal())];
    if (kind > 5) events.push(dvs("eye", [timeUs], seq));
    const ranges = events.map((event, priority) => ({ event, from: 0, to: 1, priority }));
    return { ...base, kind: "tick", ranges };
  });
}

function alone(
  stream: string,
  items: readonly MergedItem[],
): {
  readonly predictions: readonly Prediction[];
  readonly checkpoint: Uint8Array;
  readonly events: number;
} {
  const predictions: Prediction[] = [];
  const fusion = new StreamFusion(model, stream, (some) => predictions.push(...some), "sparse");
  const events = items.reduce((sum, item) => sum + fusion.apply(item, new Map()), 0);
  const checkpoint = encodeCheckpoint(fusion.state, model, stream);
  fusion.end();
  return { predictions, checkpoint, events };
}

describe("FusionWorkerPool", () => {
  it("says and keeps the bits of one thread for every stream, many jobs under way", async () => {
    const streams = Array.from({ length: 8 }, (_, s) => `stream-${s}`);
    expect(new Set(streams.map((stream) => shardOf(stream, 2))).size).toBe(2);
    const running = streams.map(async (stream, seed) => {
      const items = randomItems(stream, seed);
      const jobs: ReturnType<FusionWorkerPool["apply"]>[] = [];
      for (let i = 0; i < items.length; i += 1 + seed) {
        jobs.push(pool.apply(stream, items.slice(i, i + 1 + seed)));
      }
      const checkpoint = pool.checkpoint(stream);
      jobs.push(pool.end(stream));
      const results = await Promise.all(jobs);
      return {
        stream,
        items,
        predictions: results.flatMap(({ predictions }) => predictions),
        events: results.reduce((sum, { events }) => sum + events, 0),
        checkpoint: await checkpoint,
      };
    });
    for (const { stream, items, ...actual } of await Promise.all(running)) {
      const expected = alone(stream, items);
      expect(actual.predictions).toEqual(expected.predictions);
      expect(actual.events).toBe(expected.events);
      expect(Buffer.compare(actual.checkpoint, expected.checkpoint), stream).toBe(0);
      expect(expected.predictions.length).toBeGreaterThan(100);
    }
  });

  it("end() forgets the stream and lets the next one have its memory", async () => {
    const items = randomItems("again", 99).slice(0, 4);
    const expected = alone("again", items);
    const bytes: number[] = [];
    // Without the memory of the last, more than another page.
    for (let round = 0; round < 400; round++) {
      const { predictions } = await pool.apply("again", items);
      const last = await pool.end("again");
      expect([...predictions, ...last.predictions]).toEqual(expected.predictions);
      bytes.push(kernel.share.memory.buffer.byteLength);
    }
    expect(bytes.at(-1)).toBe(bytes[0]);
  });

  it("fails what is asked of a thread that has ended", async () => {
    const closing = new FusionWorkerPool(kernel, storedTestModel(), { workers: 1, entry });
    const job = closing.apply("a", []);
    const failed = expect(job).rejects.toMatchObject({ code: "FAILED" });
    await closing.close();
    await failed;
    await expect(closing.checkpoint("a")).rejects.toThrow("worker 0 has ended");
  });
});
