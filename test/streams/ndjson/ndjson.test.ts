import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Prediction } from "../../../src/fusion/prediction.ts";
import { GoldenLines } from "../../../src/streams/ndjson/golden-lines.ts";
import { linesOfStreams } from "../../../src/streams/ndjson/lines-of-streams.ts";
import { NdjsonSink } from "../../../src/streams/ndjson/ndjson-sink.ts";

const line = (stream: string, tick: number): string => `${JSON.stringify({ stream, tick })}\n`;
const said = (stream: string, tick: number): Prediction => ({ stream, tick }) as Prediction;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("linesOfStreams()", () => {
  it("cuts where the stream changes, whatever its name", () => {
    const names = ['a"', "a", "a\\", "a\\", "", 'stream":'];
    const text = names.map((name, i) => line(name, i)).join("");
    expect(linesOfStreams(`${text}other\n{}\n`)).toEqual([
      { stream: '"a\\""', text: line('a"', 0) },
      { stream: '"a"', text: line("a", 1) },
      { stream: '"a\\\\"', text: line("a\\", 2) + line("a\\", 3) },
      { stream: '""', text: line("", 4) },
      { stream: '"stream\\":"', text: line('stream":', 5) },
      { stream: "", text: "other\n{}\n" },
    ]);
  });
});

describe("NdjsonSink", () => {
  it("digest() of one stream is the sha256 of its lines, and of none that of nothing", async () => {
    const sink = new NdjsonSink();
    expect(sink.digest()).toBe(sha256(""));
    await sink.write([said("a", 1), said("a", 2)]);
    expect(sink.digest()).toBe(sha256(line("a", 1) + line("a", 2)));
  });

  it("digest() of several does not depend on who speaks first, but on what each says", async () => {
    const digestOf = async (...lines: readonly string[]): Promise<string> => {
      const sink = new NdjsonSink();
      for (const one of lines) await sink.writeLines(new TextEncoder().encode(one), 1);
      return sink.digest();
    };
    const first = await digestOf(line("b", 1), line("a", 1), line("a", 2));
    expect(first).toBe(
      sha256(`"a" ${sha256(line("a", 1) + line("a", 2))}\n"b" ${sha256(line("b", 1))}\n`),
    );
    expect(await digestOf(line("a", 1) + line("a", 2), line("b", 1))).toBe(first);
    expect(await digestOf(line("a", 2), line("a", 1), line("b", 1))).not.toBe(first);
    const sink = new NdjsonSink();
    await sink.write([said("a", 1), said("b", 1)]);
    await sink.write([said("a", 2)]);
    expect(sink.digest()).toBe(first);
  });
});

describe("GoldenLines", () => {
  const golden = (): GoldenLines => {
    return new GoldenLines(
      "g",
      line("a", 1) + line("b", 1) + line("a", 2) + line("b", 2).trimEnd(),
    );
  };

  it("takes the lines of streams in whatever order these speak", () => {
    const lines = golden();
    lines.compare(line("b", 1) + line("b", 2) + line("a", 1));
    lines.compare(line("a", 2));
    lines.end();
  });

  it("names the line that differs, is missing or is one too many", () => {
    expect(() => golden().compare(line("b", 1) + line("a", 2))).toThrow(
      "Predictions are not those of g: line 1 tick must be 1, got 2",
    );
    const short = golden();
    short.compare(line("a", 1) + line("b", 1) + line("b", 2));
    expect(() => short.end()).toThrow('line 3 must be {"stream":"a","tick":2}, got nothing');
    const long = golden();
    long.compare(line("b", 1) + line("b", 2));
    expect(() => long.compare(line("b", 3))).toThrow('it has 2 lines of stream "b", got another');
    expect(() => golden().compare(line("c", 1))).toThrow('it has 0 lines of stream "c"');
  });
});
