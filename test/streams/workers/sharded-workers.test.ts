import { describe, expect, it } from "vitest";
import { shardOf } from "../../../src/streams/workers/sharded-workers.ts";

describe("shardOf()", () => {
  it("spreads names evenly and always alike", () => {
    const counts = [0, 0, 0, 0];
    for (let s = 0; s < 4000; s++) counts[shardOf(`camera/${s}`, 4)]!++;
    for (const count of counts) expect(count).toBeGreaterThan(800);
    expect(shardOf("", 1000)).toBe(0x811c9dc5 % 1000);
    expect(shardOf("a", 2 ** 32)).toBe(0xe40c292c);
  });
});
