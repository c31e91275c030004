import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { fsdd } from "../../../src/cli/import/fsdd.ts";
import { mfccConventions } from "../../../src/sensors/audio/mfcc-convention.ts";
import { collectRecordings } from "./collect-recordings.ts";
import { tarOf, wavOf } from "./data-set-files.ts";

const real = join(process.env["POLYPHASE_DATA"] ?? "../shared/data", "fsdd");

const root = mkdtempSync(join(tmpdir(), "polyphase-fsdd-"));
afterAll(() => rmSync(root, { recursive: true }));

function folderOf(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

describe("fsdd", () => {
  it("makes one labelled session of MFCC events per utterance", async () => {
    const source = folderOf("one", { "7_ann_2.wav": wavOf(8000, 4000), "README.md": "" });
    const [recording] = await collectRecordings(fsdd, source);
    expect(recording!.name).toBe("7_ann_2");
    expect(recording!.metadata).toMatchObject({ dataSet: "fsdd", label: "7", speaker: "ann" });
    const items = await recording!.items();
    expect(items.filter(({ item }) => item.kind === "marker")).toMatchObject([
      { item: { action: "session-start", timeUs: 0 } },
      { item: { action: "segment-start", timeUs: 0, label: "7" } },
      { item: { action: "segment-end", timeUs: 500_000, label: "7" } },
    ]);
    const events = items.filter(({ item }) => item.kind === "audio");
    expect(events.length).toBe(49);
    expect(events[0]!.item).toMatchObject({
      stream: "7_ann_2",
      sensor: "audio",
      timeUs: 12_500,
      convention: mfccConventions.centred,
    });
    // 52.5 ms of analysis and 6 ms of resampling from 8 kHz.
    expect(events[0]!.receivedUs).toBe(12_500 + 52_500 + 6000);
    const received = items.map(({ receivedUs }) => receivedUs);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
  });

  it("takes utterances in the order of names, from a folder, its recordings/ or an archive", async () => {
    const names = ["7_ann_2", "0_bob_11", "7_ann_10"];
    const wavs = names.map((name) => ({ name: `${name}.wav`, bytes: wavOf(8000, 1000) }));
    const files = Object.fromEntries(wavs.map(({ name, bytes }) => [name, bytes]));
    folderOf("original/recordings", files);
    const archived = wavs.map(({ name, bytes }) => ({ name: `x/${name}`, bytes }));
    const sources = [
      folderOf("loose", files),
      join(root, "original"),
      folderOf("packed", { "fsdd.tar.gz": gzipSync(tarOf(archived)) }),
    ];
    for (const source of sources) {
      const recordings = await collectRecordings(fsdd, source);
      expect(recordings.map(({ name }) => name)).toEqual(["0_bob_11", "7_ann_2", "7_ann_10"]);
      expect((await recordings[0]!.items()).length).toBe(3 + 11);
    }
  });

  it("says what is missing or broken", async () => {
    for (const source of [join(root, "nowhere"), folderOf("empty", {})]) {
      await expect(collectRecordings(fsdd, source)).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
        message: expect.stringContaining(source),
      });
    }
    const [broken] = await collectRecordings(fsdd, folderOf("bad", { "1_x_1.wav": "RIFFlol" }));
    expect(() => broken!.items()).toThrow(
      'Cannot import fsdd: 1_x_1.wav: Cannot read WAV sound: form at byte 8 must be "WAVE", got ""',
    );
  });

  it.skipIf(!existsSync(real))(
    "reads the real data set: 2,700 utterances of ten digits by six speakers (needs POLYPHASE_DATA)",
    async () => {
      const recordings = await collectRecordings(fsdd, real);
      const labels = recordings.map(({ metadata }) => metadata["label"]);
      expect(labels.length).toBe(2700);
      for (const digit of "0123456789") {
        expect(labels.filter((label) => label === digit).length).toBe(270);
      }
      expect(new Set(recordings.map(({ metadata }) => metadata["speaker"])).size).toBe(6);
      expect((await recordings[0]!.items()).length).toBeGreaterThan(20);
    },
  );
});
