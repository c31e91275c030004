import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import type { SequenceWriter } from "../../../src/train/network/sequence-writer.ts";
import { BatchTape, playTape } from "../../../src/train/trainer/batch-tape.ts";
import { MaskedWriter } from "../../../src/train/trainer/masked-writer.ts";

/** Writes down every call as text. */
function listener(): { readonly writer: SequenceWriter; readonly calls: string[] } {
  const calls: string[] = [];
  const writer: SequenceWriter = {
    hasRoom: () => true,
    event: (...values) => calls.push(`event ${values.join(" ")}`),
    pixel: (...values) => calls.push(`pixel ${values.join(" ")}`),
    item: (sensor, timeUs, values) =>
      calls.push(`item ${sensor} ${timeUs} ${Array.from(values).join(" ")}`),
    read: (target) => calls.push(`read ${target}`),
    endSequence: (target, share) => calls.push(`end ${target} ${share}`),
    endRecording: () => calls.push("end"),
  };
  return { writer, calls };
}

describe("BatchTape", () => {
  const tape = new BatchTape(5);
  tape.event(1, 0.5, 0.25);
  tape.pixel(2, 77, 1);
  tape.endSequence(3, 0.2);
  tape.item(0, 10, [1, 2, 3]);
  tape.read(4);
  tape.item(1, 20, [5]);
  tape.read(6);
  tape.endRecording();
  const play = (from: number, to: number, window?: { fromUs: number; toUs: number }): string[] => {
    const { writer, calls } = listener();
    playTape(tape.contents, { from, to, window }, writer);
    return calls;
  };

  it("plays what was written, all of it or some sequences", () => {
    expect(tape.sequences).toBe(2);
    expect(play(0, 1)).toEqual(["event 1 0.5 0.25", "pixel 2 77 1", "end 3 0.2"]);
    expect(play(1, 2)).toEqual(["item 0 10 1 2 3", "read 4", "item 1 20 5", "read 6", "end"]);
  });
  it("plays a window of a recording with the answers that are due in it, and always its end", () => {
    expect(play(1, 2, { fromUs: 0, toUs: 20 })).toEqual(["item 0 10 1 2 3", "read 4", "end"]);
    expect(play(1, 2, { fromUs: 20, toUs: 30 })).toEqual(["item 1 20 5", "read 6", "end"]);
    expect(play(1, 2, { fromUs: 30, toUs: 40 })).toEqual(["end"]);
  });
  it("has room for as many events as a batch, and grows as it needs", () => {
    expect(tape.hasRoom()).toBe(true);
    const long = new BatchTape(10_000);
    for (let n = 0; n < 10_000; n++) long.item(0, n, [n]);
    long.endRecording();
    expect(long.hasRoom()).toBe(false);
    const { writer, calls } = listener();
    playTape(long.contents, { from: 0, to: 1, window: undefined }, writer);
    expect(calls).toHaveLength(10_001);
    expect(calls[9_999]).toBe("item 0 9999 9999");
  });
});

describe("MaskedWriter", () => {
  it("leaves out at most one sensor of a recording, each as often as asked, and loses events", () => {
    const { writer, calls } = listener();
    const masking = { absent: [0.2, 0.3], lost: [0, 0.25] };
    const masked = new MaskedWriter(writer, masking, new Random(1));
    const present = Array.from({ length: 4_000 }, () => {
      const before = calls.length;
      for (let n = 0; n < 4; n++) for (const sensor of [0, 1]) masked.item(sensor, n, [n]);
      masked.read(0);
      masked.endRecording();
      const items = calls.slice(before).filter((call) => call.startsWith("item"));
      return [0, 1].map((sensor) => items.filter((call) => call[5] === `${sensor}`).length);
    });
    const share = (test: (counts: number[]) => boolean): number =>
      present.filter(test).length / 4_000;
    expect(share(([a]) => a === 0)).toBeCloseTo(0.2, 1);
    // A recording may also lose all four events.
    expect(share(([, b]) => b === 0)).toBeCloseTo(0.3 + 0.7 * 0.25 ** 4, 1);
    expect(share(([a]) => a === 4)).toBeCloseTo(0.8, 1);
    const seen = present.filter(([, b]) => b! > 0).map(([, b]) => b!);
    expect(seen.reduce((sum, count) => sum + count, 0) / seen.length).toBeCloseTo(3, 1);
    expect(calls.filter((call) => call === "read 0")).toHaveLength(4_000);
  });
});
