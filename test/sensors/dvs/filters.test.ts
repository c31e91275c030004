import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  packetOf as packetOn,
  seededEvents,
} from "../../../fixtures/generate/events/seeded-events.ts";
import type { SensorSize } from "../../../src/sensors/dvs/codecs/dvs-decoder.ts";
import {
  createDvsPacket,
  type DvsPacket,
  dvsPacketView,
} from "../../../src/sensors/dvs/dvs-packet.ts";
import { createBackgroundActivityFilter } from "../../../src/sensors/dvs/filters/background-activity.ts";
import { createDownsampleFilter } from "../../../src/sensors/dvs/filters/downsample.ts";
import type { DvsFilter } from "../../../src/sensors/dvs/filters/dvs-filter.ts";
import {
  createHotPixelFilter,
  HotPixelLearner,
} from "../../../src/sensors/dvs/filters/hot-pixel.ts";
import { createPolarityFilter } from "../../../src/sensors/dvs/filters/polarity.ts";
import { createRateLimitFilter } from "../../../src/sensors/dvs/filters/rate-limit.ts";
import { createRefractoryFilter } from "../../../src/sensors/dvs/filters/refractory.ts";
import { createRegionFilter } from "../../../src/sensors/dvs/filters/region.ts";
import { PacketMemory } from "../../../src/sensors/dvs/packet-memory.ts";
import { CountFrame } from "../../../src/sensors/dvs/render/count-frame.ts";
import { TimeSurface } from "../../../src/sensors/dvs/render/time-surface.ts";
import { Random } from "../../../src/sensors/random.ts";

type Event = readonly [timeUs: number, x: number, y: number, on: number];
const size = { width: 8, height: 6 };

function packetOf(events: readonly Event[]): DvsPacket {
  const packet = createDvsPacket(size.width, size.height, events.length);
  events.forEach(([timeUs, x, y, on], i) => {
    packet.timeUs[i] = timeUs;
    packet.x[i] = x;
    packet.y[i] = y;
    packet.on[i] = on;
  });
  return packet;
}

const eventsOf = ({ count, timeUs, x, y, on }: DvsPacket): Event[] =>
  Array.from({ length: count }, (_, i) => [timeUs[i]!, x[i]!, y[i]!, on[i]!]);
const apply = (filter: DvsFilter, events: readonly Event[]): Event[] =>
  eventsOf(filter.apply(packetOf(events)));

const anyEvents = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 0, max: size.width - 1 }),
      fc.integer({ min: 0, max: size.height - 1 }),
      fc.integer({ min: 0, max: 1 }),
    ),
    { maxLength: 60 },
  )
  .map((steps) => {
    let timeUs = 0;
    return steps.map(([step, x, y, on]): Event => {
      timeUs += step;
      return [timeUs, x, y, on];
    });
  });

/** Filters that drop events and change none. */
const droppingFilters: readonly (readonly [string, () => DvsFilter])[] = [
  ["createRefractoryFilter", () => createRefractoryFilter(size, 300)],
  [
    "createBackgroundActivityFilter",
    () => createBackgroundActivityFilter(size, { supportUs: 400 }),
  ],
  ["createHotPixelFilter", () => createHotPixelFilter(size, [0, 9])],
  ["createPolarityFilter", () => createPolarityFilter(size, "on")],
  ["createRateLimitFilter", () => createRateLimitFilter(size, 5000, 2)],
  ["createRegionFilter", () => createRegionFilter(size, { x: 0, y: 0, width: 4, height: 3 })],
];

describe.each(droppingFilters)("%s", (_, create) => {
  test("gives a part of its events in their order and counts the rest", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const filter = create();
        const kept = apply(filter, events);
        let from = 0;
        for (const event of kept) {
          from = events.findIndex((e, i) => i >= from && e.join() === event.join()) + 1;
          expect(from).toBeGreaterThan(0);
        }
        expect(filter.counts).toEqual({ events: events.length, kept: kept.length });
      }),
    );
  });

  test("gives the same events however they are cut into packets, wherever these lie", () => {
    fc.assert(
      fc.property(anyEvents, fc.nat(60), (events, at) => {
        const filter = create();
        const packet = packetOf(events);
        const cut = Math.min(at, events.length);
        const parts = [dvsPacketView(packet, 0, cut), dvsPacketView(packet, cut, events.length)];
        const memory = new PacketMemory();
        const kept = parts.flatMap((part) => eventsOf(filter.apply(part, memory)));
        expect(kept).toEqual(apply(create(), events));
      }),
    );
  });

  test("refuses packets of another size", () => {
    expect(() => create().apply(createDvsPacket(9, 6, 0))).toThrow(/packets must be 8 × 6, got 9/);
  });
});

test.each([
  // It grows, and is not made anew.
  ["refractory", (sensor: SensorSize) => createRefractoryFilter(sensor, 20_000), 2],
  // The filter's own.
  [
    "background activity",
    (sensor: SensorSize) => createBackgroundActivityFilter(sensor, { supportUs: 20_000 }),
    1,
  ],
] as const)(
  "the %s filter gives the same events in memory that is used again as in memory of their own",
  (_, create, buffersMade) => {
    const sensor = { width: 64, height: 48 };
    const packets = [3000, 900, 5000].map((count, seed) =>
      packetOn(seededEvents(seed, count, [64, 48]), [64, 48]),
    );
    const memory = new PacketMemory();
    const ours = create(sensor);
    const own = create(sensor);
    const buffers = new Set<ArrayBufferLike>();
    for (const packet of packets) {
      const kept = ours.apply(packet, memory);
      buffers.add(kept.timeUs.buffer);
      expect(kept.count).toBeLessThan(packet.count);
      expect(eventsOf(kept)).toEqual(eventsOf(own.apply(packet)));
    }
    expect(buffers.size).toBe(buffersMade);
  },
);

test("createRefractoryFilter does not prolong the dead time by dropped events", () => {
  const filter = createRefractoryFilter(size, 100);
  const times = [0, 60, 100, 150, 199, 200];
  const kept = apply(
    filter,
    times.map((timeUs): Event => [timeUs, 1, 1, 1]),
  );
  expect(kept.map(([timeUs]) => timeUs)).toEqual([0, 100, 200]);
});

test("createBackgroundActivityFilter keeps the same events in WebAssembly and TypeScript", () => {
  const options = fc.record({
    supportUs: fc.constantFrom(0.5, 100, 3000, 1e9, Number.POSITIVE_INFINITY),
    supportMin: fc.constantFrom(1, 1, 1, 2, 3, 5, 8),
    samePolarity: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(anyEvents, { maxLength: 4 }),
      fc.nat(7000),
      options,
      (parts, many, choice) => {
        const fast = createBackgroundActivityFilter(size, choice, "wasm");
        const plain = createBackgroundActivityFilter(size, choice, "typescript");
        // More events than the scratch memory holds, and as many as a camera's packet.
        const busy = seededEvents(many, 3 * many, [size.width, size.height]).map(
          ([timeUs, x, y, on]): Event => [timeUs, x % size.width, y, on],
        );
        const packets = [...parts, busy];
        for (const events of packets) expect(apply(fast, events)).toEqual(apply(plain, events));
        expect(fast.counts).toEqual(plain.counts);
      },
    ),
    { numRuns: 40 },
  );
});

test("createBackgroundActivityFilter keeps the same events however its 16 bits of time are used", () => {
  const sensors = [
    { width: 40, height: 21 },
    { width: 9, height: 8 },
    { width: 1, height: 17 },
  ] as const;
  // Dense, with the base moved often; then too sparse for it, once by what lies between packets and
  // once by what lies within one.
  const stepUs = fc.constantFrom(0, 1, 3, 20, 400, 70_000);
  const supportUs = fc.constantFrom(1, 99.5, 5000, 32_767, 32_768);
  const packets = fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), stepUs, fc.nat(40_000)), {
    ...{ minLength: 1, maxLength: 8 },
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...sensors),
      supportUs,
      packets,
      fc.nat(),
      (sensor, us, all, seed) => {
        const fast = createBackgroundActivityFilter(sensor, { supportUs: us }, "wasm");
        const plain = createBackgroundActivityFilter(sensor, { supportUs: us }, "typescript");
        const random = new Random(seed);
        let timeUs = 1_000_000;
        for (const [count, step, pauseUs] of all) {
          const packet = createDvsPacket(sensor.width, sensor.height, count);
          timeUs += pauseUs;
          for (let i = 0; i < count; i++) {
            timeUs += Math.floor(random.uniform() * (step + 1));
            packet.timeUs[i] = timeUs;
            packet.x[i] = Math.floor(random.uniform() * sensor.width);
            packet.y[i] = Math.floor(random.uniform() * sensor.height);
            packet.on[i] = random.uniform() < 0.5 ? 1 : 0;
          }
          expect(eventsOf(fast.apply(packet))).toEqual(eventsOf(plain.apply(packet)));
        }
        expect(fast.counts).toEqual(plain.counts);
      },
    ),
    { numRuns: 150 },
  );
});

test("createBackgroundActivityFilter keeps events with enough recent neighbours", () => {
  const events: Event[] = [
    [0, 0, 0, 1],
    [10, 1, 1, 0],
    [20, 1, 1, 0],
    [30, 0, 1, 0],
    [200, 1, 0, 1],
    [201, 7, 5, 1],
    [202, 0, 5, 1],
  ];
  const times = (filter: DvsFilter): number[] => apply(filter, events).map(([timeUs]) => timeUs);
  expect(times(createBackgroundActivityFilter(size, { supportUs: 100 }))).toEqual([10, 20, 30]);
  const two = { supportUs: 100, supportMin: 2 };
  expect(times(createBackgroundActivityFilter(size, two))).toEqual([30]);
  const same = { supportUs: 100, samePolarity: true };
  expect(times(createBackgroundActivityFilter(size, same))).toEqual([30]);
});

test("HotPixelLearner finds what fires much more often than the mean active pixel", () => {
  const learner = new HotPixelLearner(size);
  const hot = Array.from({ length: 90 }, (_, i): Event => [i, 2, 1, 1]);
  const normal = Array.from({ length: 10 }, (_, i): Event => [100 + i, i % 8, 3 + (i >> 3), 1]);
  learner.learn(packetOf([...hot, ...normal]));
  expect(learner.hotPixels(5)).toEqual([1 * 8 + 2]);
  expect(learner.hotPixels(20)).toEqual([]);
});

test("createRegionFilter moves the origin to the region's corner", () => {
  const filter = createRegionFilter(size, { x: 2, y: 1, width: 3, height: 2 });
  const output = filter.apply(
    packetOf([
      [1, 2, 1, 1],
      [2, 4, 2, 0],
      [3, 5, 2, 0],
      [4, 1, 1, 1],
    ]),
  );
  expect(output).toMatchObject({ width: 3, height: 2 });
  expect(eventsOf(output)).toEqual([
    [1, 0, 0, 1],
    [2, 2, 1, 0],
  ]);
});

test("createDownsampleFilter joins pixels and keeps every event", () => {
  const filter = createDownsampleFilter(size, 3);
  const output = filter.apply(
    packetOf([
      [1, 7, 5, 1],
      [2, 2, 3, 0],
    ]),
  );
  expect(output).toMatchObject({ width: 3, height: 2, count: 2 });
  expect(eventsOf(output)).toEqual([
    [1, 2, 1, 1],
    [2, 0, 1, 0],
  ]);
});

test("createRateLimitFilter passes a burst, then the rate", () => {
  const filter = createRateLimitFilter(size, 1000, 3);
  const burst = Array.from({ length: 5 }, (): Event => [0, 1, 1, 1]);
  const later: Event[] = [
    [500, 1, 1, 1],
    [1000, 1, 1, 1],
    [1500, 1, 1, 1],
    [2000, 1, 1, 1],
  ];
  expect(apply(filter, [...burst, ...later]).map(([timeUs]) => timeUs)).toEqual([
    0, 0, 0, 1000, 2000,
  ]);
  expect(filter.counts).toEqual({ events: 9, kept: 5 });
});

test.each([
  ["createRefractoryFilter", () => createRefractoryFilter(size, 0)],
  [
    "createBackgroundActivityFilter",
    () => createBackgroundActivityFilter(size, { supportUs: 1, supportMin: 9 }),
  ],
  ["createRegionFilter", () => createRegionFilter(size, { x: 6, y: 0, width: 3, height: 1 })],
  ["createDownsampleFilter", () => createDownsampleFilter(size, 1.5)],
  ["createRateLimitFilter", () => createRateLimitFilter(size, 0, 1)],
  ["TimeSurface", () => new TimeSurface(size, 0)],
])("%s refuses parameters that make no sense", (_, create) => {
  expect(create).toThrow(RangeError);
});

test("CountFrame counts per polarity and shows ON bright, OFF dark", () => {
  const frame = new CountFrame(size);
  frame.add(
    packetOf([
      [1, 1, 0, 1],
      [2, 1, 0, 1],
      [3, 2, 0, 0],
    ]),
  );
  expect([frame.counts[48 + 1], frame.counts[2]]).toEqual([2, 1]);
  expect([...frame.toGrey(10).subarray(0, 4)]).toEqual([128, 148, 118, 128]);
  frame.clear();
  expect(frame.counts.every((count) => count === 0)).toBe(true);
});

test("TimeSurface decays exponentially from each pixel's last event", () => {
  const surface = new TimeSurface(size, 1000);
  surface.add(
    packetOf([
      [0, 3, 2, 1],
      [500, 3, 2, 1],
      [600, 0, 0, 0],
    ]),
  );
  const output = new Float32Array(96);
  surface.at(1500, output);
  expect(output[48 + 2 * 8 + 3]).toBeCloseTo(Math.exp(-1), 6);
  expect(output[0]).toBeCloseTo(Math.exp(-0.9), 6);
  expect(output[1]).toBe(0);
  expect(() => surface.at(0, new Float32Array(3))).toThrow(RangeError);
});
