import { badData } from "./bad-data.ts";
import type { GridWord } from "./grid-s1.ts";

/** Alignments count samples at 25 kHz: a unit is 1/25 ms. */
const unitUs = 40;

/**
 * Reads a GRID word alignment: lines `<start> <end> <word>` in order, times in units of 1/25 ms from
 * the start of the clip; `sil` and `sp` stand for silence. Blank lines are left out.
 *
 * @param file Its path, for messages.
 * @throws PolyphaseError `BAD_DATA` that names file and line.
 */
export function parseGridAlign(text: string, file: string): GridWord[] {
  const words: GridWord[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const what = `${file}:${index + 1}`;
    const word = parseLine(what, line);
    const before = words.at(-1)?.endUs ?? 0;
    if (word.startUs < before) {
      const expected = `at least the end before it, ${before / unitUs}`;
      throw badData(what, "start", expected, word.startUs / unitUs);
    }
    words.push(word);
  }
  if (words.length === 0) throw badData(file, "text", "lines of start, end and word", "none");
  return words;
}

function parseLine(what: string, line: string): GridWord {
  const match = /^\s*(\d{1,9})\s+(\d{1,9})\s+([a-z]+)\s*$/.exec(line);
  if (match === null) throw badData(what, "line", '"<start> <end> <word>"', `"${line}"`);
  const [, start, end, word] = match as unknown as [string, string, string, string];
  if (Number(end) < Number(start)) throw badData(what, "end", `at least its start, ${start}`, end);
  return { word, startUs: Number(start) * unitUs, endUs: Number(end) * unitUs };
}
