import { expect, test } from "vitest";
import { EventCounts } from "../../src/telemetry/event-counts.ts";

test("assertComplete throws for events that are neither fused nor dropped, or both", () => {
  const counts = new EventCounts();
  counts.take(5);
  counts.fuse(3);
  expect(() => counts.assertComplete()).toThrow(
    "Events taken must be those fused and dropped, got 2 more: 5 taken, 3 fused, dropped {}",
  );
  counts.drop("late", 2);
  counts.assertComplete();
  counts.drop("overflow", 1);
  expect(() => counts.assertComplete()).toThrow('got -1 more: 5 taken, 3 fused, dropped {"late":2');
});
