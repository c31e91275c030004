import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { McapWriter } from "@mcap/core";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { registerEvents } from "../../../src/cli/events/events.ts";
import { openEventSource } from "../../../src/cli/events/open-event-source.ts";
import { type EventsSummary, summarizeEvents } from "../../../src/cli/events/summarize-events.ts";
import { createDvsPacket } from "../../../src/sensors/dvs/dvs-packet.ts";
import { WholeFileWritable } from "../../../src/streams/record/whole-file-writable.ts";
import { encodeEventColumns } from "../../../src/wire/event-columns-json.ts";

const fixtures = new URL("../../../fixtures/events/", import.meta.url).pathname;
const scene = new URL("../../../fixtures/scenes/clean-159.mcap", import.meta.url).pathname;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-events-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs `polyphase events …`; gives what it wrote to stdout. */
async function run(...args: readonly string[]): Promise<string> {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((...args: unknown[]) => {
    text += String(args[0]);
    for (const done of args) if (typeof done === "function") done();
    return true;
  });
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    const program = new Command().exitOverride();
    registerEvents(program);
    await program.parseAsync(["events", ...args], { from: "user" });
  } finally {
    write.mockRestore();
    error.mockRestore();
  }
  return text;
}

/** An MCAP of one message of our event packets, as another tool would write it. */
async function recordForeign(path: string, encoding: string, data: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  const writer = new McapWriter({ writable: new WholeFileWritable(file) });
  await writer.start();
  const name = "polyphase.v1.EventPacket";
  const schemaId = await writer.registerSchema({ name, encoding, data: new Uint8Array() });
  const metadata = new Map<string, string>();
  const channel = { schemaId, topic: "/dvs", messageEncoding: encoding, metadata };
  const channelId = await writer.registerChannel(channel);
  await writer.addMessage({ channelId, sequence: 0, logTime: 7n, publishTime: 7n, data });
  await writer.end();
  await file.close();
}

const summaryOf = async (path: string): Promise<EventsSummary> =>
  summarizeEvents(await openEventSource(path));

describe("polyphase events", () => {
  test("info --json prints counts, times, sums and oddities", async () => {
    const text = await run("info", join(fixtures, "evt3-jitter-1.raw"), "--json");
    expect(JSON.parse(text)).toEqual({
      format: "evt3",
      width: 640,
      height: 480,
      packets: 1,
      events: 4,
      on: 4,
      off: 0,
      triggers: 0,
      firstUs: 409_700,
      lastUs: 413_796,
      sums: { t: "1651088", x: "6", y: "28", p: "4" },
      anomalies: { "time-regression": 1 },
    });
  });

  test("info --json says of a file without events all that it says of others", async () => {
    const file = join(folder, "empty.aedat");
    await writeFile(file, "#!AER-DAT2.0\r\n");
    const empty = JSON.parse(await run("info", file, "--json"));
    expect(empty).toMatchObject({ events: 0, firstUs: null, lastUs: null, sums: { t: "0" } });
    expect(await run("info", file)).not.toContain("first");
  });

  test("info takes a size for files that say none, and says so where it is missing", async () => {
    const file = join(fixtures, "npy-tonic.npy");
    const guessed = JSON.parse(await run("info", file, "--json"));
    expect(guessed).toMatchObject({ width: 2048, anomalies: { "size-unknown": 1 } });
    const told = JSON.parse(await run("info", file, "--json", "--geometry", "128x128"));
    expect(told).toMatchObject({ width: 128, height: 128, anomalies: {} });
  });

  test("info reads events of our own recordings", async () => {
    expect(await summaryOf(scene)).toMatchObject({
      format: "mcap/soa1",
      width: 34,
      events: 20_932,
    });
  });

  test("info reads packets that others wrote as JSON, and names what is none", async () => {
    const packet = createDvsPacket(4, 3, 2);
    packet.timeUs.set([10, 12]);
    packet.x.set([1, 3]);
    const event = { kind: "dvs", stream: "s", sensor: "dvs", timeUs: 10, seq: 0, packet } as const;
    const path = join(folder, "foreign.mcap");
    await recordForeign(path, "json", encodeEventColumns(event));
    expect(await summaryOf(path)).toMatchObject({ format: "mcap/json", width: 4, events: 2 });
    for (const encoding of ["json", "protobuf"]) {
      await recordForeign(path, encoding, Uint8Array.of(255));
      await expect(summaryOf(path)).rejects.toMatchObject({
        code: "BAD_EVENT",
        message: expect.stringContaining(
          `Cannot read ${path}: message of /dvs at log time 7: Cannot decode polyphase.v1.EventPacket`,
        ),
      });
    }
  });

  test.each(["out.mcap", "out.es", "out.bin"])(
    "convert to %s and back keeps every event",
    async (name) => {
      const source = join(fixtures, "nmnist-random.bin");
      const output = join(folder, name);
      await run("convert", source, output, "--t0", "zero");
      const { events, on, sums } = await summaryOf(source);
      const converted = await summaryOf(output);
      expect(converted).toMatchObject({ events, on, firstUs: 0, sums: { x: sums.x, y: sums.y } });
    },
  );

  test.each(["evt2", "evt3"])("convert --to %s keeps times and pixels", async (format) => {
    const source = join(fixtures, "es-random.es");
    const output = join(folder, `${format}.raw`);
    await run("convert", source, output, "--to", format);
    const { packets: _, ...expected } = await summaryOf(source);
    expect(await summaryOf(output)).toMatchObject({ ...expected, format });
  });

  test("cat prints CSV, and no more than asked for", async () => {
    const text = await run("cat", join(fixtures, "dat-cd.dat"), "-n", "1");
    expect(text).toBe("t,x,y,p\n7,1,2,1\n");
  });

  test("filter applies each filter named", async () => {
    const output = join(folder, "filtered.mcap");
    const source = join(fixtures, "evt2-random.raw");
    const filters = ["--roi", "100,100,400,300", "--polarity", "on", "--downsample", "2"];
    await run("filter", source, output, ...filters, "--refractory", "100", "--hot-pixels", "50");
    const before = await summaryOf(source);
    const after = await summaryOf(output);
    expect(after).toMatchObject({ width: 200, height: 150, off: 0 });
    expect(after.events).toBeGreaterThan(0);
    expect(after.events).toBeLessThan(before.on);
  });

  test("filter refuses a region outside the sensor and leaves no output", async () => {
    const output = join(folder, "none.es");
    const source = join(fixtures, "nmnist-random.bin");
    await expect(run("filter", source, output, "--roi", "30,0,10,10")).rejects.toMatchObject({
      code: "USAGE",
    });
    expect(await readdir(folder)).not.toContain("none.es");
  });

  test.each(["count", "surface"])(
    "render --mode %s writes one PNG per span of time",
    async (mode) => {
      const frames = join(folder, mode);
      const source = join(fixtures, "evt3-wrap-clean.raw");
      await run("render", source, frames, "--frame", "10", "--mode", mode);
      expect(await readdir(frames)).toEqual(["frame-000000.png", "frame-000001.png"]);
      const png = await readFile(join(frames, "frame-000000.png"));
      expect([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([
        "PNG",
        640,
        480,
      ]);
    },
  );

  test.each([
    ["a missing file", "nowhere.raw", { code: "FILE_NOT_FOUND" }],
    ["a file of no known format", "README.md", { code: "BAD_DATA" }],
  ])("info refuses %s", async (_, name, error) => {
    await expect(run("info", join(fixtures, name))).rejects.toMatchObject(error);
  });
});
