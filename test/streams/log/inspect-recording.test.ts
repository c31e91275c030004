import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { DurationHistogram } from "../../../src/streams/inspect/duration-histogram.ts";
import { inspectRecording } from "../../../src/streams/inspect/inspect-recording.ts";
import { StreamMerge } from "../../../src/streams/merge/stream-merge.ts";
import { EventCounts } from "../../../src/telemetry/event-counts.ts";
import { dvsEvent, marker, scalarEvent } from "../../wire/stream-items.ts";
import { foreignMessage, messageOf, writeLog } from "./log-files.ts";

const folder = mkdtempSync(join(tmpdir(), "polyphase-inspect-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "a.mcap");
const second = 1_000_000;

/** Scalars of one sensor in the order of arrival: number, event time, time of arrival. */
async function inspected(items: readonly (readonly [number, number, number])[]) {
  await writeLog(
    path,
    items.map(([seq, timeUs, receivedUs]) => messageOf(scalarEvent(seq, timeUs), receivedUs)),
  );
  return (await inspectRecording(path)).sensors[0]!;
}

describe("inspectRecording()", () => {
  it("measures intervals, gaps, what is missing and where the longest gap is", async () => {
    // Every 10 ms; items 40 to 49 are lost, and one more.
    const numbers = Array.from({ length: 100 }, (_, i) => i).filter(
      (i) => (i < 40 || i > 49) && i !== 70,
    );
    const sensor = await inspected(numbers.map((i) => [i, 10_000 * i, 10_000 * i + 500]));
    expect(sensor).toMatchObject({ items: 89, missing: 11, firstUs: 0, lastUs: 990_000 });
    expect(sensor.interval.meanUs).toBeCloseTo(990_000 / 88, 6);
    expect(sensor.interval.medianUs).toBeGreaterThanOrEqual(10_000);
    expect(sensor.interval.medianUs).toBeLessThanOrEqual(10_160);
    expect(sensor.gaps).toEqual({ count: 1, longest: { fromUs: 390_000, durationUs: 110_000 } });
    expect(sensor.lateness.maxUs).toBe(0);
  });

  it("counts what goes back, is there twice, comes from the future or from a new start", async () => {
    const steady = Array.from({ length: 10 }, (_, i) => [i, i * 1000, i * 1000] as const);
    const sensor = await inspected([
      ...steady,
      [4, 4000, 9500],
      [11, 11_000, 11_000],
      [10, 10_000, 11_500],
      [12, 600 * second, 12_000],
      [13, 2 * second, 2 * second],
      [14, 13_000, 2 * second + 1],
      [0, 2 * second + 10, 2 * second + 10],
      [1, 2 * second + 20, 2 * second + 20],
    ]);
    expect(sensor).toMatchObject({
      ...{ items: 18, duplicates: 1, future: 1, backwardJumps: 1, reboots: 1, missing: 1 },
      regressions: { count: 2, maxUs: 2 * second - 13_000 },
      lateness: { p50Us: 0, maxUs: 1000 },
      recommendedLatenessUs: 1000,
    });
  });

  it("recommends the least lateness with which nothing is late, for any disorder", async () => {
    const anyItems = fc.array(fc.tuple(fc.nat(3000), fc.nat(30_000), fc.boolean()), {
      minLength: 2,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(anyItems, async (gaps) => {
        let timeUs = 0;
        const arrived = gaps
          .map(([gapUs, delayUs, isPacket], seq) => {
            timeUs += gapUs;
            const item = isPacket ? dvsEvent(seq, timeUs, 9) : scalarEvent(seq, timeUs);
            return { item, receivedUs: timeUs + delayUs };
          })
          .sort((a, b) => a.receivedUs - b.receivedUs);
        await writeLog(
          path,
          arrived.map(({ item, receivedUs }) => messageOf(item, receivedUs)),
        );
        const { sensors } = await inspectRecording(path);
        const late = (latenessOf: (sensor: (typeof sensors)[number]) => number): number => {
          const counts = new EventCounts();
          const options = {
            waitingMax: 1000,
            sensors: sensors.map((sensor) => {
              return { name: sensor.channel.sensor, latenessUs: latenessOf(sensor) };
            }),
          };
          const merge = new StreamMerge("scene", options, counts, () => undefined);
          for (const { item, receivedUs } of arrived) {
            merge.push({ item, receivedUs, acknowledge: () => undefined });
          }
          return counts.dropped["late"] ?? 0;
        };
        expect(late(({ recommendedLatenessUs }) => recommendedLatenessUs)).toBe(0);
        // With one sensor alone its lateness decides; a second one may hold the watermark back.
        if (sensors.length > 1 || sensors[0]!.lateness.maxUs === 0) return;
        expect(late(({ lateness }) => lateness.maxUs - 1)).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  it("tells sizes by channel, foreign ones too, keyframes and markers", async () => {
    const keyframes = {
      ...foreignMessage(0, 5_000n, new Uint8Array(1000)),
      channel: {
        topic: "/scene/keyframes",
        messageEncoding: "polyphase-checkpoint",
        metadata: new Map([["stream", "scene"]]),
        schema: { name: "polyphase.Keyframe", encoding: "", data: new Uint8Array(0) },
      },
    };
    await writeLog(path, [
      messageOf(marker(0, 3), 3),
      messageOf(scalarEvent(0, 4), 4),
      keyframes,
      { ...keyframes, sequence: 1 },
      foreignMessage(1, 6_000n, new Uint8Array(7)),
    ]);
    const inspection = await inspectRecording(path);
    expect(inspection).toMatchObject({ keyframes: 2, firstReceivedUs: 3, lastReceivedUs: 6 });
    expect(inspection.markers.map(({ label }) => label)).toEqual(["drei – 三"]);
    expect(
      inspection.channels.map(({ topic, messages, bytes }) => [topic, messages, bytes]),
    ).toEqual([
      ["/scene/markers", 1, expect.any(Number)],
      ["/scene/imu", 1, expect.any(Number)],
      ["/scene/keyframes", 2, 2000],
      ["/bare", 1, 7],
    ]);
  });
});

describe("DurationHistogram", () => {
  it("gives quantiles within 1.6 % of the exact ones", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 ** 50 }), { minLength: 1, maxLength: 100 }),
        fc.constantFrom(0.5, 0.9, 0.99, 1),
        (durations, share) => {
          const histogram = new DurationHistogram();
          for (const each of durations) histogram.add(each);
          const sorted = durations.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
          expect(histogram.quantileUs(share)).toBeGreaterThanOrEqual(exact);
          expect(histogram.quantileUs(share)).toBeLessThanOrEqual(exact * 1.016);
        },
      ),
    );
  });
});
