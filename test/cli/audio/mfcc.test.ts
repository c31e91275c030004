import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { registerAudio } from "../../../src/cli/audio/audio.ts";
import { openRecording } from "../../../src/streams/replay/recording-reader.ts";
import { goldenSignal } from "../../sensors/audio/golden-signal.ts";
import golden from "../../sensors/audio/mfcc-golden.json" with { type: "json" };

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-audio-"));
  file = await writeWav("golden.wav", 1, 16_000);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function writeWav(name: string, channels: number, sampleRate: number): Promise<string> {
  const samples = goldenSignal();
  const bytes = Buffer.alloc(44 + samples.byteLength);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(samples.byteLength, 40);
  samples.forEach((sample, i) => {
    bytes.writeInt16LE(sample, 44 + 2 * i);
  });
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function mfcc(...args: readonly string[]): Promise<string> {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    const program = new Command().exitOverride();
    registerAudio(program);
    await program.parseAsync(["audio", "mfcc", ...args], { from: "user" });
  } finally {
    write.mockRestore();
  }
  return text;
}

const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("audio mfcc prints the golden vectors of the reference signal", async () => {
  const vectors = lines(await mfcc(file));
  expect(vectors).toHaveLength(golden.frames);
  expect(vectors[0]).toMatchObject({ timeUs: 12_500, convention: "mfcc39/psf-hamming/v1" });
  expect(vectors[100].values).toEqual([...Float32Array.from(golden.rows[100])].map(close));
});

test("audio mfcc --deltas causal keeps the cepstra and names its own convention", async () => {
  const vectors = lines(await mfcc(file, "--deltas", "causal"));
  expect(vectors[100].convention).toBe("mfcc39/psf-hamming-causal/v1");
  expect(vectors[100].values.slice(0, 13)).toEqual(golden.rows[100].slice(0, 13).map(close));
  expect(vectors[100].availableUs - vectors[100].timeUs).toBe(12_500);
});

test("audio mfcc --out writes a recording and nothing to stdout", async () => {
  const out = join(folder, "golden.mcap");
  expect(await mfcc(file, "--out", out, "--stream", "s1", "--sensor", "mic")).toBe("");
  const recording = await openRecording(out);
  const items = [];
  for await (const batch of recording.items()) items.push(...batch.map(({ item }) => item));
  await recording.close();
  expect(items).toHaveLength(golden.frames);
  expect(items[100]).toMatchObject({ kind: "audio", stream: "s1", sensor: "mic", seq: 100 });
});

test("audio mfcc refuses what it cannot read with the file and the byte", async () => {
  const mute = await writeWav("mute.wav", 0, 16_000);
  const reason = `${mute}: Cannot read WAV sound: channels at byte 22 must be 1 to 64, got 0`;
  await expect(mfcc(mute)).rejects.toMatchObject({ message: reason, exitStatus: 65 });
  const odd = await writeWav("odd.wav", 1, 12_345);
  await expect(mfcc(odd)).rejects.toMatchObject({ code: "BAD_DATA", exitStatus: 65 });
  await expect(mfcc(join(folder, "none.wav"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

function close(value: number): unknown {
  return expect.closeTo(value, 4);
}
