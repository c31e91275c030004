import { expect, test } from "vitest";
import {
  type GridSentence,
  gridFrameTimeUs,
  parseGridIndex,
  readGridFrames,
  readGridSound,
} from "../../../src/wire/datasets/grid-s1.ts";

const entry = {
  name: "bbaf2n",
  fold: 3,
  frames: 2,
  mouthOff: 1,
  samples: 3,
  pcmOff: 2,
  startMs: 320,
  words: [
    ["sil", -320, 240],
    ["bin", 240, 570.5],
  ],
};

const sentence: GridSentence = parseGridIndex(JSON.stringify([entry]))[0]!;

test("parseGridIndex reads sentences with word times in whole microseconds", () => {
  expect(sentence).toEqual({
    name: "bbaf2n",
    fold: 3,
    frames: 2,
    mouthOffset: 1,
    samples: 3,
    soundOffset: 2,
    startMs: 320,
    words: [
      { word: "sil", startUs: -320_000, endUs: 240_000 },
      { word: "bin", startUs: 240_000, endUs: 570_500 },
    ],
  });
});

test.each([
  ["{", "text must be JSON"],
  ["{}", "text must be a list"],
  [[{ ...entry, frames: -1 }], "entry 0: frames must be a whole number >= 0, got -1"],
  [[entry, { ...entry, name: "../x" }], "entry 1: name must be letters and digits, got ../x"],
  [
    [{ ...entry, words: [["bin", 5, 4]] }],
    'words must be [word, start, end] in ms, got ["bin",5,4]',
  ],
])("parseGridIndex refuses %j", (index, reason) => {
  const text = typeof index === "string" ? index : JSON.stringify(index);
  expect(() => parseGridIndex(text)).toThrow(reason);
});

test("gridFrameTimeUs is the middle of a frame's 40 ms", () => {
  expect([gridFrameTimeUs(0), gridFrameTimeUs(10)]).toEqual([20_000, 420_000]);
});

test("readGridFrames sums the differences of a clip and scales 6 bits to 252", () => {
  const file = new Uint8Array(1 + 2 * 2304);
  file.fill(99, 0, 1);
  file.fill(63, 1, 2305); // first frame plain
  file.fill(256 - 62, 2305); // 63 - 62 = 1
  const frames = readGridFrames(file, sentence);
  expect(frames.subarray(0, 2304).every((grey) => grey === 252)).toBe(true);
  expect(frames.subarray(2304).every((grey) => grey === 4)).toBe(true);
});

test("readGridFrames refuses a short file and sums beyond 6 bits", () => {
  expect(() => readGridFrames(new Uint8Array(4608), sentence)).toThrow(
    "Cannot read GRID sentence bbaf2n: mouth file must be at least 4609 bytes, got 4608",
  );
  expect(() => readGridFrames(new Uint8Array(4609).fill(64), sentence)).toThrow("0 to 63, got 64");
});

test("readGridSound sums 16-bit differences stored high bytes first", () => {
  // 300, 300 - 556 = -256, -256 + 1 = -255
  const file = Uint8Array.of(9, 9, 0x01, 0xfd, 0x00, 0x2c, 0xd4, 0x01);
  expect([...readGridSound(file, sentence)]).toEqual([300 * 64, -256 * 64, -255 * 64]);
});

test("readGridSound refuses a short file and sums beyond 10 bits", () => {
  expect(() => readGridSound(new Uint8Array(7), sentence)).toThrow("sound file must be at least 8");
  const loud = Uint8Array.of(9, 9, 0x02, 0, 0, 0, 0, 0);
  expect(() => readGridSound(loud, sentence)).toThrow("sample 0 must be -512 to 511, got 512");
});
