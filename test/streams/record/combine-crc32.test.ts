import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { combineCrc32 } from "../../../src/streams/record/combine-crc32.ts";

test("combineCrc32 gives zlib's CRC of the whole, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(3000), (bytes, at) => {
      const cut = Math.min(at, bytes.length);
      const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect(combineCrc32(crc32(first), crc32(second), second.length)).toBe(crc32(bytes));
    }),
  );
});

test("combineCrc32 takes second parts of any length", () => {
  const first = crc32("first");
  for (const length of [0, 1, 255, 2 ** 16, 2 ** 20 + 1, 2 ** 25 - 1]) {
    const second = new Uint8Array(length).fill(length & 0xff);
    expect(combineCrc32(first, crc32(second), length), String(length)).toBe(crc32(second, first));
  }
});
