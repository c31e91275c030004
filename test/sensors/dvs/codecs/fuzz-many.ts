// Damaged event files through every decoder: npx tsx test/sensors/dvs/codecs/fuzz-many.ts [COUNT] [FIRST SEED]
import { EventFuzzer } from "./fuzz.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const first = Number(process.argv[3] ?? 0);
const fuzzer = new EventFuzzer();
const results = { decoded: 0, refused: 0 };
for (let seed = first; seed < first + count; seed++) results[fuzzer.run(seed)]++;
process.stdout.write(`${JSON.stringify({ first, count, ...results })}\n`);
