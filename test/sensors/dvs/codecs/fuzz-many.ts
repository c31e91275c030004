// Damaged event files through every decoder: npx tsx test/sensors/dvs/codecs/fuzz-many.ts [COUNT] [FIRST SEED]
import { EventFuzzer } from "./fuzz.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const first = Number(process.argv[3] ?? 0);
const fuzzer = new EventFuzzer();
const results = { decoded: 0, refused: 0 };
const reportEvery = 10_000;
for (let seed = first; seed < first + count; seed++) {
  results[fuzzer.run(seed)]++;
  // Where to go on if it is stopped.
  const done = seed - first + 1;
  if (done % reportEvery === 0 && done < count) {
    process.stderr.write(`${JSON.stringify({ next: seed + 1, ...results })}\n`);
  }
}
process.stdout.write(`${JSON.stringify({ first, count, ...results })}\n`);
