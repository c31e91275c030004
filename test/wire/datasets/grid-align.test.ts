import { expect, test } from "vitest";
import { parseGridAlign } from "../../../src/wire/datasets/grid-align.ts";

test("parseGridAlign reads words in units of 1/25 ms", () => {
  expect(parseGridAlign("0 23750 sil\n23750 29500 bin\r\n\n29500 29501 sp\n", "a.align")).toEqual([
    { word: "sil", startUs: 0, endUs: 950_000 },
    { word: "bin", startUs: 950_000, endUs: 1_180_000 },
    { word: "sp", startUs: 1_180_000, endUs: 1_180_040 },
  ]);
});

test.each([
  [
    "0 10 sil\n10 bin",
    'Cannot read x/a.align:2: line must be "<start> <end> <word>", got "10 bin"',
  ],
  ["0 1.5 bin", 'Cannot read x/a.align:1: line must be "<start> <end> <word>", got "0 1.5 bin"'],
  ["0 10 bin blue", "Cannot read x/a.align:1: line must be"],
  ["-1 10 bin", "Cannot read x/a.align:1: line must be"],
  ["\n20 10 bin", "Cannot read x/a.align:2: end must be at least its start, 20, got 10"],
  ["0 10 bin\n9 20 blue", "x/a.align:2: start must be at least the end before it, 10, got 9"],
  ["\n", "Cannot read x/a.align: text must be lines of start, end and word, got none"],
])("parseGridAlign refuses %j, naming file and line", (text, message) => {
  expect(() => parseGridAlign(text, "x/a.align")).toThrow(message);
});
