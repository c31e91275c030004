import { expect, test } from "vitest";
import { parseNmnistLabels } from "../../../src/wire/datasets/nmnist-labels.ts";

test("parseNmnistLabels reads samples and digits, without comments and blank lines", () => {
  const labels = parseNmnistLabels("#sample #class\r\n1\t5\r\n 12 0 \n\n");
  expect([...labels]).toEqual([
    [1, 5],
    [12, 0],
  ]);
});

test("parseNmnistLabels names the line it cannot read", () => {
  expect(() => parseNmnistLabels("1 5\n2 ten")).toThrow(
    'Cannot read N-MNIST labels: line 2 must be "<sample> <digit>", got "2 ten"',
  );
});
