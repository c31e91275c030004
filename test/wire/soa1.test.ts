import fc from "fast-check";
import { expect, test } from "vitest";
import { packetOf, seededEvents } from "../../fixtures/generate/events/seeded-events.ts";
import {
  createDvsPacket,
  type DvsPacket,
  dvsPacketView,
} from "../../src/sensors/dvs/dvs-packet.ts";
import { createBackgroundActivityFilter } from "../../src/sensors/dvs/filters/background-activity.ts";
import { PacketMemory } from "../../src/sensors/dvs/packet-memory.ts";
import { packetHome } from "../../src/sensors/dvs/wasm/packet-home.ts";
import { decodeSoa1, encodeSoa1, soa1EventsMax } from "../../src/wire/soa1.ts";
import { livePacketLimits, splitDvsPacket } from "../../src/wire/split-dvs-packet.ts";

const width = 640;
const height = 480;

const packets = (gapMax: number): fc.Arbitrary<DvsPacket> =>
  fc
    .array(fc.tuple(fc.nat(gapMax), fc.nat(width - 1), fc.nat(height - 1), fc.nat(1)), {
      minLength: 1,
      maxLength: 200,
    })
    .map((events) => {
      const packet = createDvsPacket(width, height, events.length);
      let t = 1_700_000_000_000_005;
      events.forEach(([gap, x, y, on], i) => {
        t += i === 0 ? 0 : gap;
        packet.timeUs[i] = t;
        packet.x[i] = x;
        packet.y[i] = y;
        packet.on[i] = on;
      });
      return packet;
    });

function onePacket(times: readonly number[]): DvsPacket {
  const packet = createDvsPacket(width, height, times.length);
  packet.timeUs.set(times);
  return packet;
}

test("decodeSoa1 gives back what encodeSoa1 took, at even and odd addresses", () => {
  fc.assert(
    fc.property(packets(65_535), fc.nat(3), (packet, offset) => {
      const bytes = encodeSoa1(packet);
      expect(bytes.byteLength).toBe(6 * packet.count);
      const shifted = new Uint8Array(bytes.byteLength + offset);
      shifted.set(bytes, offset);
      const decoded = decodeSoa1(shifted.subarray(offset), packet, packet.timeUs[0]!);
      expect(decoded).toEqual(packet);
    }),
  );
});

test("encodeSoa1 writes events that lie in a filter's memory as those of a copy", () => {
  const size = { width, height };
  const filter = createBackgroundActivityFilter(size, { supportUs: 5000 });
  const memory = new PacketMemory();
  for (const [seed, count] of [9000, 12_000].entries()) {
    const given = packetOf(seededEvents(seed, count, [64, 48]), [width, height]);
    const kept = filter.apply(given, memory);
    expect(kept.count).toBeGreaterThan(1000);
    expect(kept.count).toBeLessThan(count);
    for (const [from, to] of [
      [0, kept.count],
      [3, 1000],
    ] as const) {
      const part = dvsPacketView(kept, from, to);
      expect(packetHome(part)).toBeDefined();
      const copy = structuredClone(part);
      expect(packetHome(copy)).toBeUndefined();
      expect(encodeSoa1(part)).toEqual(encodeSoa1(copy, "typescript"));
      part.x[5] = width;
      copy.x[5] = width;
      expect(() => encodeSoa1(part)).toThrow("event 5 must be on the 640x480 sensor");
      expect(outcome(() => encodeSoa1(part))).toBe(outcome(() => encodeSoa1(copy, "typescript")));
      part.x[5] = 0;
    }
  }
});

/** What `work` gives, or the message of its refusal. */
function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
}

test("encodeSoa1 and decodeSoa1 give the same in WebAssembly and TypeScript, refusals included", () => {
  const fault = fc.tuple(fc.nat(), fc.constantFrom(-1, 0.5, Number.NaN, 65_536, 640, 480));
  fc.assert(
    fc.property(packets(3), fc.option(fault), fc.nat(4), (packet, damage, column) => {
      const at = (damage?.[0] ?? 0) % packet.count;
      if (damage !== null && column < 3) {
        const array = [packet.timeUs, packet.x, packet.y][column]!;
        array[at] = damage[1] + (column === 0 ? packet.timeUs[at]! : 0);
      }
      const bytes = outcome(() => encodeSoa1(packet, "typescript"));
      expect(outcome(() => encodeSoa1(packet, "wasm"))).toEqual(bytes);
      if (typeof bytes === "string") return;
      const damaged = (bytes as Uint8Array).slice();
      if (damage !== null && column === 3) damaged[damage[0] % damaged.length] = 255;
      const decode = (engine: "wasm" | "typescript") => () =>
        decodeSoa1(damaged, packet, 77, { engine });
      expect(outcome(decode("wasm"))).toEqual(outcome(decode("typescript")));
    }),
    { numRuns: 400 },
  );
});

test("decodeSoa1 keeps the first event at the time it is given, whatever dt[0] says", () => {
  const bytes = encodeSoa1(onePacket([10, 17]));
  bytes[0] = 99;
  expect([...decodeSoa1(bytes, { width, height, count: 2 }, 10).timeUs]).toEqual([10, 17]);
});

test("decodeSoa1 owns its memory", () => {
  const bytes = encodeSoa1(onePacket([10, 17]));
  const decoded = decodeSoa1(bytes, { width, height, count: 2 }, 10);
  bytes.fill(255);
  expect([...decoded.x]).toEqual([0, 0]);
});

test("decodeSoa1 refuses lengths other than 6 bytes per event before taking memory", () => {
  const shape = { width, height, count: 2 };
  expect(() => decodeSoa1(new Uint8Array(13), shape, 0)).toThrow(
    "events must be 6 bytes for each of 2 events, got 13 bytes",
  );
  const many = { ...shape, count: 4_000_000_000 };
  expect(() => decodeSoa1(new Uint8Array(12), many, 0)).toThrow("count must be 1 to 16384");
  expect(() => decodeSoa1(new Uint8Array(0), { ...shape, count: 0 }, 0)).toThrow("count must be");
});

test("decodeSoa1 refuses events off the sensor and names the first", () => {
  const packet = onePacket([0, 0, 0]);
  packet.x[1] = 200;
  const bytes = encodeSoa1(packet);
  expect(() => decodeSoa1(bytes, { width: 100, height, count: 3 }, 0)).toThrow(
    "event 1 must be on the 100x480 sensor, got 200,0",
  );
});

test("encodeSoa1 refuses what the format cannot hold", () => {
  expect(() => encodeSoa1(onePacket([5, 4]))).toThrow("timeUs[1] - timeUs[0] must be 0 to 65535");
  expect(() => encodeSoa1(onePacket([0, 65_536]))).toThrow("got 65536");
  expect(() => encodeSoa1(onePacket([0, 0.5]))).toThrow("got 0.5");
  expect(() => encodeSoa1(onePacket([0, Number.NaN]))).toThrow("got NaN");
  expect(() => encodeSoa1(createDvsPacket(1, 1, soa1EventsMax + 1))).toThrow("count must be");
  const packet = onePacket([0]);
  packet.y[0] = height;
  expect(() => encodeSoa1(packet)).toThrow("event 0 must be on the 640x480 sensor, got 0,480");
});

test("splitDvsPacket keeps every event in order and every limit", () => {
  fc.assert(
    fc.property(packets(200_000), (packet) => {
      const parts = [...splitDvsPacket(packet, livePacketLimits)];
      expect(parts.flatMap((part) => [...part.timeUs])).toEqual([...packet.timeUs]);
      expect(parts.flatMap((part) => [...part.x])).toEqual([...packet.x]);
      for (const part of parts) {
        expect(part.count).toBeLessThanOrEqual(1000);
        expect(part.timeUs.at(-1)! - part.timeUs[0]!).toBeLessThanOrEqual(5000);
        expect(encodeSoa1(part).byteLength).toBe(6 * part.count);
      }
    }),
  );
});

test("splitDvsPacket starts a new packet at 1,000 events and after 5 ms", () => {
  const busy = onePacket(Array.from({ length: 2500 }, (_, i) => i));
  expect([...splitDvsPacket(busy, livePacketLimits)].map((part) => part.count)).toEqual([
    1000, 1000, 500,
  ]);
  const quiet = onePacket([0, 5000, 5001, 10_001, 10_002]);
  expect([...splitDvsPacket(quiet, livePacketLimits)].map((part) => part.count)).toEqual([2, 2, 1]);
  expect([...splitDvsPacket(createDvsPacket(1, 1, 0), livePacketLimits)]).toEqual([]);
});
