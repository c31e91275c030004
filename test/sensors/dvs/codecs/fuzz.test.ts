import { expect, test } from "vitest";
import { EventFuzzer } from "./fuzz.ts";

// `npx tsx test/sensors/dvs/codecs/fuzz-many.ts` runs a million.
test("DvsDecoder decodes or refuses damaged input, and the same in pieces", () => {
  const fuzzer = new EventFuzzer();
  const results = Array.from({ length: 2000 }, (_, seed) => fuzzer.run(seed));
  expect(new Set(results)).toEqual(new Set(["decoded", "refused"]));
});

test("DvsDecoder keeps the order of times where a damaged one is too large to be exact", () => {
  // AEDAT 4: a reading of 6 · 10^18 µs, where numbers are 1024 apart.
  expect(new EventFuzzer().run(10_326_050)).toBe("decoded");
});
