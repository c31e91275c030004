import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { readItemLines, writeItemLines } from "../../../src/cli/logs/item-lines.ts";
import { ItemMessages } from "../../../src/streams/log/item-messages.ts";
import { polyphase } from "../../e2e/cli.ts";
import { entriesOf, foreignMessage, textsOf, writeLog } from "../../streams/log/log-files.ts";
import { anyItem, dvsEvent } from "../../wire/stream-items.ts";

const folder = mkdtempSync(join(tmpdir(), "polyphase-log-commands-"));
afterAll(() => rmSync(folder, { recursive: true }));
const scene = "fixtures/scenes/clean-284.mcap";
const at = (name: string): string => join(folder, name);
const stop = new AbortController().signal;

describe("polyphase convert", () => {
  it("gives every message of a recording back after lines of JSON, byte for byte", async () => {
    const messages = new ItemMessages();
    const items = fc.sample(fc.tuple(anyItem, fc.nat(10_000)), { numRuns: 200, seed: 5 });
    const written = items.map(([item, receivedUs]) => messages.of(item, receivedUs));
    const metadata = { name: "polyphase.recording", metadata: new Map([["label", "3"]]) };
    const foreign = foreignMessage(2, 10_000n, Uint8Array.of(1));
    await writeLog(at("in.mcap"), [{ kind: "metadata", metadata }, ...written, foreign]);
    const left = await writeItemLines(at("in.mcap"), at("lines.ndjson"), { stop });
    expect(left).toEqual([{ topic: "/robot/pose", schema: "geometry_msgs/msg/Pose", messages: 1 }]);
    await readItemLines(at("lines.ndjson"), at("out.mcap"), { stop });
    const back = await entriesOf(at("out.mcap"));
    expect(textsOf(back)).toEqual(textsOf(written));
    expect(back).toContainEqual({ kind: "metadata", metadata: expect.objectContaining(metadata) });
  });

  it("changes chunks and compression, and nothing that a replay sees", async () => {
    const out = at("lz4.mcap");
    const args = ["-o", out, "--compression", "lz4", "--chunk-size", "16"];
    expect(await polyphase("convert", scene, ...args)).toMatchObject({ status: 0, stderr: "" });
    expect(textsOf(await entriesOf(out))).toEqual(textsOf(await entriesOf(scene)));
    expect(readFileSync(out).includes("lz4")).toBe(true);
  });

  it("makes a recording of a camera's file, with the names that are asked for", async () => {
    const out = at("camera.mcap");
    const args = ["-o", out, "--stream", "table", "--sensor", "eye", "--compression", "none"];
    expect((await polyphase("convert", "fixtures/events/evt3-random.raw", ...args)).status).toBe(0);
    const info = await polyphase("info", out, "--json");
    expect(JSON.parse(info.stdout)[0].sensors).toMatchObject([
      { stream: "table", sensor: "eye", kind: "dvs", shape: "640×480", events: 3000 },
    ]);
  });

  it.each([
    ["{", ":1: "],
    ["[]", ":1: kind must be a string, got nothing"],
    ['{"kind":"scalar","stream":"s","sensor":"a","timeUs":1.5,"seq":0}', ":1: timeUs must be"],
    ['{"kind":"scalar","stream":"s","sensor":"a","timeUs":1,"seq":0,"values":[null]}', "values"],
    [
      '{"kind":"video","stream":"s","sensor":"a","timeUs":1,"seq":0,"width":2,"height":2,"pixels":"AA=="}',
      "4 bytes in base64",
    ],
    ['{"kind":"smell","stream":"s","sensor":"a","timeUs":1,"seq":0}', 'got "smell"'],
  ])("refuses the line %s", async (line, message) => {
    writeFileSync(at("bad.ndjson"), `\n${line}\n`);
    const reading = readItemLines(at("bad.ndjson"), at("bad.mcap"), { stop });
    await expect(reading).rejects.toThrow(message.replace(":1:", ":2:"));
  });
});

describe("polyphase recover, merge, filter and info", () => {
  it("recover saves what is whole and tells what is lost", async () => {
    const bytes = readFileSync(scene);
    writeFileSync(at("cut.mcap"), bytes.subarray(0, 100_000));
    const { status, stdout } = await polyphase("recover", at("cut.mcap"), "-o", at("saved.mcap"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^saved {3}\d+ messages\nlost {4}[\d,]+ of 100,000 bytes\n/);
    expect(stdout).toMatch(/\d+–100000 +cut-off +unknown +the record of opcode 6 at byte/);
    expect((await polyphase("info", at("cut.mcap"))).stderr).toContain("`polyphase recover`");
    expect((await polyphase("validate", at("saved.mcap"))).status).toBe(0);
    writeFileSync(at("none.mcap"), "nothing");
    const nothing = await polyphase("recover", at("none.mcap"), "-o", at("x.mcap"), "--json");
    expect(nothing.status).toBe(65);
    expect(JSON.parse(nothing.stdout).losses[0].reason).toBe("not-mcap");
  });

  it("merge unifies, filter takes apart again; neither overwrites its input", async () => {
    const [audio, rest, both] = [at("audio.mcap"), at("rest.mcap"), at("both.mcap")];
    await polyphase("filter", scene, "-o", audio, "--sensors", "audio");
    await polyphase("filter", scene, "-o", rest, "--topics", "*/video,*/dvs");
    const merged = await polyphase("merge", audio, rest, "-o", both, "--json");
    expect(JSON.parse(merged.stdout)).toMatchObject({ channels: 4, duplicates: 0 });
    const sorted = async (path: string) => textsOf(await entriesOf(path)).toSorted();
    expect(await sorted(both)).toEqual(await sorted(scene));
    const same = await polyphase("merge", both, audio, "-o", both);
    expect(same).toMatchObject({ status: 64, stderr: expect.stringContaining("it is the input") });
    const unknown = await polyphase("filter", scene, "-o", at("x.mcap"), "--sensors", "mic");
    expect(unknown.status).toBe(64);
    expect(unknown.stderr).toContain("it has no sensor mic, but audio, dvs, video");
  });

  it("info tells the lateness with which nothing is late", async () => {
    const messages = new ItemMessages();
    const late = [0, 3, 1, 2, 5, 4].map((i) => messages.of(dvsEvent(i, 20_000 * i), 50_000 * i));
    const sorted = late.map((message, i) => ({ ...message, logTime: BigInt(i) * 1_000_000n }));
    await writeLog(at("late.mcap"), sorted);
    const { stdout } = await polyphase("info", at("late.mcap"));
    expect(stdout).toContain("no event is late with --lateness 40.1");
    expect(stdout).toContain("dvs: 3 out of order");
  });
});
