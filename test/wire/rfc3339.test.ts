import fc from "fast-check";
import { expect, test } from "vitest";
import { rfc3339FromUs } from "../../src/wire/rfc3339.ts";

/** The built-in clock is the oracle; it has milliseconds. 2^53 µs end in the year 2255. */
test("rfc3339FromUs writes what Date writes, to the microsecond", () => {
  fc.assert(
    fc.property(fc.nat(9_007_199_254_739), fc.nat(999), (ms, us) => {
      const expected = new globalThis.Date(ms).toISOString().replace("Z", `${us}`.padStart(3, "0"));
      expect(rfc3339FromUs(ms * 1000 + us)).toBe(`${expected}Z`);
    }),
  );
});

test("rfc3339FromUs knows leap days", () => {
  expect(rfc3339FromUs(951_782_400_000_000)).toBe("2000-02-29T00:00:00.000000Z");
  expect(rfc3339FromUs(4_107_542_400_000_000)).toBe("2100-03-01T00:00:00.000000Z");
});
