// Cost of putting items in event-time order, and of what surrounds it, on one core.
// Run: npx tsx bench/merge.ts. Goal: <= 1 µs per item merged. A rewind goes back 100 ms in the GRID graph.
// CPU time, medians. Prints one JSON line.

import { chooseKernel } from "../src/cells/kernels/choose-kernel.ts";
import { presetModel } from "../src/cli/load-model.ts";
import { createFusionGraph } from "../src/fusion/fusion-graph.ts";
import { createFusionSnapshot } from "../src/fusion/fusion-snapshot.ts";
import { createFusionState } from "../src/fusion/fusion-state.ts";
import { createDvsPacket } from "../src/sensors/dvs/dvs-packet.ts";
import { Random } from "../src/sensors/random.ts";
import type { AudioEvent, SensorEvent } from "../src/sensors/sensor-event.ts";
import { ClockModel } from "../src/streams/clock/clock-model.ts";
import { RewindFusion } from "../src/streams/fuse/rewind-fusion.ts";
import { StreamFusion } from "../src/streams/fuse/stream-fusion.ts";
import { StreamMerge } from "../src/streams/merge/stream-merge.ts";
import type { Delivery } from "../src/streams/source.ts";
import { EventCounts } from "../src/telemetry/event-counts.ts";

const rounds = 15;
const random = new Random(1);
const values = new Float32Array(39);
const pixels = new Uint8Array(48 * 48);

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

/** CPU nanoseconds per unit of work. */
function measure(units: number, work: () => void): number {
  const each = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / units;
  });
  return Math.round(median(each));
}

// Items and deliveries are plain literals, as decoders and sources make them: V8 reads objects that were
// made by spreading two to three times slower.
function audio(seq: number): AudioEvent {
  return {
    kind: "audio",
    stream: "s",
    sensor: "audio",
    timeUs: seq * 10_000,
    seq,
    convention: "mfcc39/psf-hamming/v1",
    values,
    availableUs: seq * 10_000,
  };
}

function video(seq: number): SensorEvent {
  const timeUs = seq * 40_000;
  return {
    kind: "video",
    stream: "s",
    sensor: "video",
    timeUs,
    seq,
    width: 48,
    height: 48,
    pixels,
  };
}

/** 1000 events in 10 ms. */
function dvs(seq: number): SensorEvent {
  const packet = createDvsPacket(34, 34, 1000);
  for (let i = 0; i < 1000; i++) packet.timeUs[i] = seq * 10_000 + i * 10;
  return { kind: "dvs", stream: "s", sensor: "dvs", timeUs: seq * 10_000, seq, packet };
}

/** Deliveries in order of arrival, each delayed by up to `delayUs`. */
function deliveries(events: readonly SensorEvent[], delayUs: number): readonly Delivery[] {
  return events
    .map((item) => ({ item, receivedUs: item.timeUs + random.below(delayUs + 1) }))
    .sort((a, b) => a.receivedUs - b.receivedUs)
    .map(({ item, receivedUs }) => ({ item, receivedUs, acknowledge: () => undefined }));
}

function mergeAll(all: readonly Delivery[], names: readonly string[], latenessUs: number): void {
  const sensors = names.map((name) => ({ name, latenessUs }));
  const merge = new StreamMerge("s", { sensors, waitingMax: 10_000 }, new EventCounts(), () => {});
  for (const delivery of all) merge.push(delivery);
  merge.end();
}

const scene = [
  ...Array.from({ length: 100_000 }, (_, i) => audio(i)),
  ...Array.from({ length: 25_000 }, (_, i) => video(i)),
];
const inOrder = deliveries(scene, 0);
const disordered = deliveries(scene, 50_000);
const packets = deliveries(
  [
    ...Array.from({ length: 500 }, (_, i) => audio(i)),
    ...Array.from({ length: 500 }, (_, i) => dvs(i)),
  ],
  0,
);

/** Audio through the GRID graph; every 50th vector comes 100 ms late. */
function rewindUs(): number {
  const { spec, weights, hash } = presetModel("grid", 1);
  const { kernel } = chooseKernel("auto");
  const graph = createFusionGraph(spec, weights, kernel);
  const encoders = graph.sensors.map(({ size }) => ({
    ...{ mode: "direct" as const, size, name: "none", validate: () => undefined },
    encode: () => undefined,
  }));
  const model = { graph, encoders, hash };
  const apply = (limitUs: number): number => {
    const fusion = new RewindFusion(
      (listener) => new StreamFusion(model, "s", listener, "sparse"),
      { horizonUs: limitUs, horizonBytesMax: 1 << 26 },
      () => undefined,
      () => undefined,
    );
    const before = process.cpuUsage();
    for (let i = 0; i < 5000; i++) {
      const event = audio(i);
      const range = { event, from: 0, to: 1, priority: 0 };
      const { timeUs } = event;
      fusion.apply({ kind: "tick", stream: "s", timeUs, ranges: [range], finished: [] }, new Map());
      if (i % 50 === 49 && limitUs > 0) {
        const late = { ...event, timeUs: timeUs - 100_000 + 1 };
        fusion.apply(
          {
            ...{ kind: "late", stream: "s", timeUs: late.timeUs, finished: [] },
            range: { ...range, event: late },
          },
          new Map(),
        );
      }
    }
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const each = Array.from({ length: 5 }, () => (apply(500_000) - apply(0)) / 100);
  return Math.round(median(each));
}

function snapshotNs(): number {
  const { spec, weights } = presetModel("grid", 1);
  const state = createFusionState(createFusionGraph(spec, weights, chooseKernel("auto").kernel));
  const snapshot = createFusionSnapshot(state);
  return measure(10_000, () => {
    for (let i = 0; i < 10_000; i++) snapshot.take(state);
  });
}

function clockNs(): number {
  return measure(100_000, () => {
    const model = new ClockModel("offset+drift", () => undefined);
    for (let i = 0; i < 100_000; i++) {
      model.observe(i * 10_000, i * 10_001 + random.below(20_000));
      model.toEventTime(i * 10_000);
    }
  });
}

console.log(
  JSON.stringify({
    bench: "merge",
    inOrderNsPerItem: measure(inOrder.length, () => mergeAll(inOrder, ["audio", "video"], 0)),
    disorderedNsPerItem: measure(disordered.length, () =>
      mergeAll(disordered, ["audio", "video"], 50_000),
    ),
    dvsNsPerEvent: measure(500_500, () => mergeAll(packets, ["audio", "dvs"], 0)),
    snapshotNs: snapshotNs(),
    rewind100msUs: rewindUs(),
    clockNsPerItem: clockNs(),
  }),
);
