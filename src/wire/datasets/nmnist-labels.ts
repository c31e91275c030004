import { badData } from "./bad-data.ts";

/**
 * Reads a list of N-MNIST samples and their digits: lines `<sample> <digit>`, blank lines and lines
 * that start with `#` left out. The sample numbers count the MNIST training images from 1.
 */
export function parseNmnistLabels(text: string): Map<number, number> {
  const labels = new Map<number, number>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const match = /^\s*(\d+)\s+(\d)\s*$/.exec(line);
    if (match === null) {
      throw badData("N-MNIST labels", `line ${index + 1}`, '"<sample> <digit>"', `"${line}"`);
    }
    labels.set(Number(match[1]), Number(match[2]));
  }
  return labels;
}
