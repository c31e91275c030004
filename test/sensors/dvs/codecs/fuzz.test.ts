import { expect, test } from "vitest";
import { EventFuzzer } from "./fuzz.ts";

// `npx tsx test/sensors/dvs/codecs/fuzz-many.ts` runs a million.
test("DvsDecoder decodes or refuses damaged input, and the same in pieces", () => {
  const fuzzer = new EventFuzzer();
  const results = Array.from({ length: 2000 }, (_, seed) => fuzzer.run(seed));
  expect(new Set(results)).toEqual(new Set(["decoded", "refused"]));
});
