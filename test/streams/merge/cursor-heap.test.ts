import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Marker } from "../../../src/sensors/sensor-event.ts";
import { type Cursor, CursorHeap } from "../../../src/streams/merge/cursor-heap.ts";

function cursorAt(timeUs: number, arrival: number): Cursor {
  const item: Marker = {
    kind: "marker",
    stream: "s",
    timeUs,
    seq: 0,
    action: "segment-start",
    label: "",
  };
  const delivery = { item, acknowledge: () => undefined };
  return { delivery, priority: 0, arrival, end: 1, bytes: 0, index: 0, started: false, timeUs };
}

describe("CursorHeap", () => {
  it("gives what it holds in order, however it came in and whenever it is taken", () => {
    // Mostly in order, as streams are: each time lies ahead of the one before, or behind it.
    const steps = fc.array(fc.tuple(fc.integer({ min: -3, max: 9 }), fc.nat(2)), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const heap = new CursorHeap();
        const held: Cursor[] = [];
        let timeUs = 0;
        for (const [arrival, [ahead, taken]] of all.entries()) {
          timeUs += ahead;
          const cursor = cursorAt(timeUs, arrival);
          heap.push(cursor);
          held.push(cursor);
          held.sort((a, b) => a.timeUs - b.timeUs || a.arrival - b.arrival);
          for (let i = 0; i < taken && held.length > 0; i++) {
            expect(heap.first).toBe(held[0]);
            expect(heap.pop()).toBe(held.shift());
          }
          expect(heap.size).toBe(held.length);
        }
        while (held.length > 0) expect(heap.pop()).toBe(held.shift());
        expect([heap.first, heap.size]).toEqual([undefined, 0]);
      }),
    );
  });

  it("keeps its order over thousands that are never all taken", () => {
    const heap = new CursorHeap();
    for (let i = 0; i < 10_000; i++) {
      heap.push(cursorAt(i, i));
      if (i >= 100) expect(heap.pop().timeUs).toBe(i - 100);
    }
    expect(heap.size).toBe(100);
  });
});
