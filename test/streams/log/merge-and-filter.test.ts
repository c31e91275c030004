import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { compressLz4 } from "../../../src/streams/log/compress-lz4.ts";
import { filterLog } from "../../../src/streams/log/filter-log.ts";
import { mergeLogs } from "../../../src/streams/log/merge-logs.ts";
import type { LogMessage } from "../../../src/streams/log/scan/log-entry.ts";
import { isSelected } from "../../../src/streams/log/select-channel.ts";
import { compressZstd } from "../../../src/streams/record/chunk-encoder.ts";
import { limitedHandlers } from "../../../src/streams/replay/open-mcap.ts";
import { audioEvent, dvsEvent, marker, scalarEvent } from "../../wire/stream-items.ts";
import {
  entriesOf,
  foreignMessage,
  messageOf,
  messageText,
  textsOf,
  writeLog,
} from "./log-files.ts";

const folder = mkdtempSync(join(tmpdir(), "polyphase-logs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const [a, b, out] = ["a.mcap", "b.mcap", "out.mcap"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];

async function merged(options: Partial<Parameters<typeof mergeLogs>[2]> = {}) {
  const result = await mergeLogs([a, b], out, { order: "log", ...options });
  const entries = (await entriesOf(out)).filter((entry) => entry.kind === "message");
  return { result, entries };
}

describe("mergeLogs()", () => {
  it("puts any two recordings in order of either time and keeps every byte", async () => {
    const anyMessage = fc
      .tuple(fc.nat(40), fc.nat(40), fc.nat(3))
      .map(([timeUs, delayUs, which]): LogMessage => {
        if (which === 3)
          return foreignMessage(timeUs, BigInt(timeUs + delayUs + 1) * 1000n, Uint8Array.of(which));
        const item = [audioEvent, scalarEvent, marker][which]!(timeUs, timeUs);
        return messageOf(item, timeUs + delayUs);
      });
    const list = fc.array(anyMessage, { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(list, list, fc.constantFrom("log", "sensor"), async (left, right, order) => {
        await writeLog(a, left, { chunkBytes: 300 });
        await writeLog(b, right, { chunkBytes: 300 });
        const { result, entries } = await merged({ order });
        const times = entries.map((each) => (order === "log" ? each.logTime : each.publishTime));
        expect(times).toEqual(times.toSorted((x, y) => Number(x - y)));
        expect(textsOf(entries).toSorted()).toEqual(textsOf([...left, ...right]).toSorted());
        const all = [...left, ...right].map((each) => `${messageText(each)}`);
        const twice = (text: string): string => text.replace(/ [0-9a-f]+$/, "");
        expect(result.duplicates).toBeLessThanOrEqual(all.length - new Set(all.map(twice)).size);
      }),
      { numRuns: 40 },
    );
  });

  it("unifies equal channels, counts duplicates, and drops them if it is told to", async () => {
    const once = [0, 1, 2, 3].flatMap((i) => [
      messageOf(audioEvent(i, 10 * i), 10 * i),
      messageOf(marker(0, 10 * i), 10 * i),
    ]);
    const more = messageOf(audioEvent(4, 40), 40);
    await writeLog(a, once);
    await writeLog(b, [...once.slice(2, 5), more]);
    expect((await merged()).result).toEqual({
      messages: 12,
      channels: 2,
      duplicates: 3,
      keyframesLeftOut: 0,
    });
    const { result, entries } = await merged({ dropDuplicates: true });
    expect(result).toEqual({ messages: 9, channels: 2, duplicates: 3, keyframesLeftOut: 0 });
    expect(textsOf(entries)).toEqual(textsOf([...once, more]));
  });

  it("refuses topics that differ, says in what, and writes nothing; --prefix keeps both", async () => {
    const small = { ...audioEvent(0, 5), values: new Float32Array(13) };
    await writeLog(a, [messageOf(audioEvent(0, 1), 1)]);
    await writeLog(b, [messageOf(small, 5)]);
    rmSync(out, { force: true });
    await expect(merged()).rejects.toThrow(
      "Cannot merge: topic /scene/audio has size 39 in a, 13 in b (--prefix",
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("out"))).toEqual([]);
    const { entries } = await merged({ prefix: true });
    expect(entries.map(({ channel }) => [channel.topic, channel.metadata.get("stream")])).toEqual([
      ["/a/scene/audio", "a/scene"],
      ["/b/scene/audio", "b/scene"],
    ]);
  });
});

describe("filterLog()", () => {
  const messages = [0, 1, 2, 3].flatMap((i) => [
    messageOf(audioEvent(i, 1000 * i), 1000 * i + 500),
    messageOf(scalarEvent(i, 1000 * i + 1), 1000 * i + 501),
    messageOf({ ...dvsEvent(i, 1000 * i + 2), stream: "other" }, 1000 * i + 502),
    messageOf(marker(i, 1000 * i + 3), 1000 * i + 503),
    foreignMessage(i, BigInt(1000 * i) * 1000n + 504_000n, Uint8Array.of(i)),
  ]);

  async function filtered(
    selection: Parameters<typeof isSelected>[1],
    more: { readonly from?: bigint; readonly to?: bigint } = {},
  ): Promise<readonly LogMessage[]> {
    await writeLog(a, messages, { chunkBytes: 400 });
    const wanted = (channel: LogMessage["channel"]): boolean => isSelected(channel, selection);
    await filterLog(a, out, { wanted, by: "sensor", compression: "lz4", ...more });
    return (await entriesOf(out)).filter((entry) => entry.kind === "message");
  }

  it.each([
    [{}, ["/scene/audio", "/scene/imu", "/other/dvs", "/scene/markers", "/robot/pose", "/bare"]],
    [{ sensors: ["audio"] }, ["/scene/audio", "/scene/markers", "/robot/pose", "/bare"]],
    [{ streams: ["other"] }, ["/other/dvs", "/robot/pose", "/bare"]],
    [{ topics: ["/robot/*", "/*/dvs"] }, ["/other/dvs", "/robot/pose"]],
    [{ sensors: ["audio"], topics: ["/scene/*"] }, ["/scene/audio", "/scene/markers"]],
  ])("keeps what %j selects, with its bytes", async (selection, topics) => {
    const expected = messages.filter(({ channel }) => topics.includes(channel.topic));
    expect(textsOf(await filtered(selection))).toEqual(textsOf(expected));
  });

  it("keeps a stretch of sensor time, its end not included", async () => {
    const kept = await filtered({}, { from: 1_001_000n, to: 3_000_000n });
    const expected = messages.filter(
      ({ publishTime }) => publishTime >= 1_001_000n && publishTime < 3_000_000n,
    );
    expect(expected.length).toBeGreaterThan(5);
    expect(textsOf(kept)).toEqual(textsOf(expected));
  });
});

describe("limitedHandlers()", () => {
  it("unpack zstd to bytes whose slices are copies", async () => {
    const { zstd } = await limitedHandlers();
    const content = Uint8Array.from({ length: 5000 }, (_, i) => i & 63);
    const { compressedData } = compressZstd(content);
    const back = zstd!(compressedData, 5000n);
    expect(back.constructor).toBe(Uint8Array);
    expect(Buffer.compare(back, content)).toBe(0);
    expect(() => zstd!(compressedData.subarray(0, 20), 5000n)).toThrow();
  });
});

describe("compressLz4()", () => {
  it("makes frames that decompress to any content again", async () => {
    const { lz4 } = await limitedHandlers();
    const repeats = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 400 }))
      .map(([piece, times]) => {
        return Buffer.concat(Array.from({ length: times }, () => piece));
      });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 5000 }), repeats),
        (content) => {
          const back = lz4!(compressLz4(content), BigInt(content.length));
          expect(Buffer.compare(back, content)).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("splits content beyond a block, and is understood by the library's own LZ4", async () => {
    const { loadDecompressHandlers } = await import("@mcap/support");
    const { lz4 } = await loadDecompressHandlers();
    const content = Uint8Array.from({ length: 5_000_000 }, (_, i) => ((i * i) >> 7) & 63);
    const packed = compressLz4(content);
    expect(packed.length).toBeLessThan(content.length);
    expect(Buffer.compare(lz4!(packed, BigInt(content.length)), content)).toBe(0);
  });
});
