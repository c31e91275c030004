import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { mnist } from "../../../src/cli/import/mnist.ts";
import type { SensorEvent } from "../../../src/sensors/sensor-event.ts";
import { collectRecordings } from "./collect-recordings.ts";
import { idxOf } from "./data-set-files.ts";

const real = join(process.env["POLYPHASE_DATA"] ?? "../shared/data", "mnist");

const root = mkdtempSync(join(tmpdir(), "polyphase-mnist-"));
afterAll(() => rmSync(root, { recursive: true }));

/** `count` pictures of a vertical bar. */
function pictures(count: number): Buffer {
  const bar = (_: unknown, p: number): number => (p % 28 > 10 && p % 28 < 14 ? 255 : 0);
  return idxOf([count, 28, 28], Uint8Array.from({ length: 784 * count }, bar));
}

function folderOf(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

describe("mnist", () => {
  const source = folderOf("both", {
    "train-images-idx3-ubyte.gz": gzipSync(pictures(2)),
    "train-labels-idx1-ubyte.gz": gzipSync(idxOf([2], Buffer.of(4, 9))),
    "t10k-images-idx3-ubyte": pictures(1),
    "t10k-labels-idx1-ubyte": idxOf([1], Buffer.of(7)),
  });

  it("numbers and labels the images of both parts, packed or not", async () => {
    const recordings = await collectRecordings(mnist, source);
    expect(recordings.map(({ name, metadata }) => [name, metadata["label"]])).toEqual([
      ["train-00001", "4"],
      ["train-00002", "9"],
      ["test-00001", "7"],
    ]);
  });

  it("makes each image a session of simulated events in packets, the same every time", async () => {
    const recordings = await collectRecordings(mnist, source);
    const items = await recordings[0]!.items();
    expect(items.filter(({ item }) => item.kind === "marker")).toMatchObject([
      { item: { action: "session-start", timeUs: 0 } },
      { item: { action: "segment-start", timeUs: 0, label: "4" } },
      { item: { action: "segment-end", timeUs: 315_001, label: "4" } },
    ]);
    const packets = items.flatMap(({ item }) => (item.kind === "dvs" ? [item.packet] : []));
    expect(packets.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(500);
    for (const { width, height, timeUs, count } of packets) {
      expect([width, height]).toEqual([34, 34]);
      expect(timeUs[count - 1]! - timeUs[0]!).toBeLessThanOrEqual(5000);
    }
    expect(await recordings[0]!.items()).toEqual(items);
  });

  it("gives equal images different noise", async () => {
    const [first, second] = await collectRecordings(mnist, source);
    const times = (items: readonly { readonly item: { timeUs: number } }[]): number[] =>
      items.map(({ item }) => (item as SensorEvent).timeUs);
    expect(times(await first!.items())).not.toEqual(times(await second!.items()));
  });

  it("refuses what is not MNIST, saying what is wrong", async () => {
    const labels = idxOf([1], Buffer.of(1));
    const bad: [string, Buffer, Buffer, string][] = [
      [
        "small",
        idxOf([1, 27, 28], new Uint8Array(756)),
        labels,
        "must be N x 28 x 28, got 1 x 27 x 28",
      ],
      ["few", pictures(2), labels, "labels must be 2, got 1"],
      ["short", pictures(2).subarray(0, 800), labels, "data must be 2 x 28 x 28 bytes, got 784"],
      ["float", Buffer.of(0, 0, 13, 1), labels, "start must be 0 0 8 (unsigned bytes), got 0 0 13"],
      ["cut", Buffer.of(0, 0, 8, 3, 0), labels, "header must be 16 bytes, got 5"],
    ];
    for (const [name, images, itsLabels, message] of bad) {
      const folder = folderOf(name, {
        "train-images-idx3-ubyte": images,
        "train-labels-idx1-ubyte": itsLabels,
      });
      await expect(collectRecordings(mnist, folder)).rejects.toThrow(message);
    }
    const unlabelled = folderOf("unlabelled", { "train-images-idx3-ubyte": pictures(1) });
    for (const folder of [join(root, "nowhere"), folderOf("empty", {}), unlabelled]) {
      await expect(collectRecordings(mnist, folder)).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
        message: expect.stringContaining(folder),
      });
    }
  });

  it.skipIf(!existsSync(real))("reads the real data set (needs POLYPHASE_DATA)", async () => {
    const recordings = await collectRecordings(mnist, real);
    expect(recordings.length).toBe(70_000);
    expect(recordings[0]!.metadata["label"]).toBe("5");
    expect(recordings.at(-1)!.metadata).toMatchObject({ name: "test-10000", label: "6" });
  });
});
