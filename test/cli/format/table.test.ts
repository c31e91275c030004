import { expect, it } from "vitest";
import { table } from "../../../src/cli/format/table.ts";

it("table() puts numbers to the right and text to the left", () => {
  const text = table(
    ["layer", "units", "open"],
    [
      ["audio", 7, "5.00 %"],
      ["merge-1", 250, "–"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "layer    units    open",
    "───────  ─────  ──────",
    "audio        7  5.00 %",
    "merge-1    250       –",
  ]);
});
