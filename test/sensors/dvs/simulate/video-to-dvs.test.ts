import { describe, expect, it } from "vitest";
import {
  type GreyFrame,
  videoPixelModel,
  videoToDvs,
} from "../../../../src/sensors/dvs/simulate/video-to-dvs.ts";
import { Random } from "../../../../src/sensors/random.ts";

/** A bright 4 × 4 square at (x, 6) on a grey ground of 16 × 16, every 40 ms. */
function frameAt(x: number, index: number): GreyFrame {
  const pixels = new Uint8Array(256).fill(40);
  for (let y = 6; y < 10; y += 1) pixels.fill(220, 16 * y + x, 16 * y + x + 4);
  return { timeUs: 20_000 + 40_000 * index, width: 16, height: 16, pixels };
}

describe("videoToDvs", () => {
  const frames = [2, 4, 6].map(frameAt);

  it("gives ON events where a bright square arrives and OFF events where it leaves", () => {
    const packet = videoToDvs(frames.slice(0, 2), new Random(1));
    const changes = Math.log(240 / 60) / videoPixelModel.thresholdOn;
    expect(packet.count).toBe(2 * 8 * Math.floor(changes));
    for (let i = 0; i < packet.count; i += 1) {
      expect(packet.on[i]).toBe(packet.x[i]! >= 6 ? 1 : 0);
      expect([2, 3, 6, 7]).toContain(packet.x[i]);
    }
  });

  it("keeps to the frames' times and does not depend on where a recording is cut", () => {
    const whole = videoToDvs(frames, new Random(1));
    const head = videoToDvs(frames.slice(0, 2), new Random(1));
    expect(whole.timeUs.subarray(0, head.count)).toEqual(head.timeUs);
    expect(whole.timeUs[0]).toBeGreaterThan(20_000);
    expect(whole.timeUs[whole.count - 1]).toBeLessThanOrEqual(100_000);
  });

  it("gives no event for one frame, and refuses none", () => {
    expect(videoToDvs(frames.slice(0, 1), new Random(1)).count).toBe(0);
    expect(() => videoToDvs([], new Random(1))).toThrow("no video frame given");
  });

  it("refuses frames that change size or go back in time", () => {
    const other = { ...frames[1]!, width: 8, height: 8, pixels: new Uint8Array(64) };
    expect(() => videoToDvs([frames[0]!, other], new Random(1))).toThrow("be 16x16, got 8x8");
    expect(() => videoToDvs([frames[1]!, frames[0]!], new Random(1))).toThrow(
      "come after the last",
    );
  });
});
