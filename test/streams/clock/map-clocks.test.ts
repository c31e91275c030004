import { from, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import type { ClockMap } from "../../../src/streams/clock/clock-map.ts";
import type { ClockMode } from "../../../src/streams/clock/clock-model.ts";
import { mapClocks } from "../../../src/streams/clock/map-clocks.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { EventCounts } from "../../../src/telemetry/event-counts.ts";
import { dvs, marker, scalar } from "../items.ts";

async function mapAll(
  pairs: readonly (readonly [StreamItem, number | undefined])[],
  mode: ClockMode,
): Promise<{ items: StreamItem[]; maps: string[]; counts: EventCounts }> {
  const counts = new EventCounts();
  const maps: string[] = [];
  const onMap = (stream: string, sensor: string, { version }: ClockMap): void => {
    maps.push(`${stream}/${sensor} v${version}`);
  };
  const deliveries = pairs.map(([item, receivedUs]): Delivery => {
    return { item, acknowledge: () => undefined, ...(receivedUs !== undefined && { receivedUs }) };
  });
  const mapped = from(deliveries).pipe(mapClocks({ mode: () => mode, onMap }, counts), toArray());
  return { items: (await lastValueFrom(mapped)).map(({ item }) => item), maps, counts };
}

describe("mapClocks()", () => {
  it("moves every time of an item by its sensor's clock, and no other", async () => {
    const packet = dvs("eye", [1000, 1500, 3000]);
    const { items, maps } = await mapAll(
      [
        [packet, 1_003_000],
        [scalar("imu", 50), 2_000_050],
        [marker("segment-end", 7), 2_000_060],
        [scalar("imu", 70), undefined],
      ],
      "offset",
    );
    expect(items.map(({ timeUs }) => timeUs)).toEqual([1_001_000, 2_000_050, 7, 70]);
    const [first] = items;
    const times = first!.kind === "dvs" ? [...first!.packet.timeUs] : [];
    expect(times).toEqual([1_001_000, 1_001_500, 1_003_000]);
    expect([...packet.packet.timeUs]).toEqual([1000, 1500, 3000]);
    expect(maps).toEqual(["s/eye v1", "s/imu v1"]);
  });

  it("passes what a trusted clock says, untouched", async () => {
    const item = scalar("imu", 50);
    const { items, maps } = await mapAll([[item, 2_000_050]], "trusted");
    expect(items[0]).toBe(item);
    expect(maps).toEqual([]);
  });

  it("counts the steps of a clock", async () => {
    const { items, counts } = await mapAll(
      [
        [scalar("imu", 90_000_000), 90_000_000],
        [scalar("imu", 0), 90_010_000],
      ],
      "offset+drift",
    );
    expect(items.map(({ timeUs }) => timeUs)).toEqual([90_000_000, 90_010_000]);
    expect(counts.anomalies).toEqual({ "clock-step": 1 });
  });
});
