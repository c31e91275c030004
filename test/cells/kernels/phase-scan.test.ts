import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { GateMode } from "../../../src/cells/gate.ts";
import { PhaseScan } from "../../../src/cells/kernels/phase-scan.ts";
import type { LayerParameters } from "../../../src/cells/layer-parameters.ts";

// Thousands of cases, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const none = new Float32Array(0);

function scanOf(
  periodUs: readonly number[],
  shiftUs: readonly number[],
  openRatio: readonly number[],
  gate: GateMode = "phase",
): (timeUs: number) => { open: number[]; k: number[] } {
  const units = periodUs.length;
  const parameters: LayerParameters = {
    cell: "lstm",
    inputs: 1,
    units,
    gate,
    leak: 0,
    inputWeights: none,
    recurrentWeights: none,
    bias: none,
    peepholes: none,
    recurrentBias: undefined,
    periodUs,
    shiftUs,
    openRatio,
  };
  const scan = new PhaseScan(parameters);
  const openUnits = new Int32Array(units);
  const openness = new Float32Array(units);
  return (timeUs) => {
    const count = scan.find(timeUs, openUnits, openness);
    return {
      open: Array.from(openUnits.subarray(0, count)),
      k: Array.from(openness.subarray(0, count)),
    };
  };
}

/** φ of whole microseconds by exact integer arithmetic, rounded once. */
function exactPhase(timeUs: number, periodUs: number, shiftUs: number): number {
  const period = BigInt(periodUs);
  const into = (((BigInt(timeUs) - BigInt(shiftUs)) % period) + period) % period;
  return Number((into << 60n) / period) / 2 ** 60;
}

const centuryAfterUnixEpochUs = 4_900_000_000_000_000;

describe("PhaseScan", () => {
  it("find() has the phase right to 1e-9 cycles up to the Unix epoch + 100 years", () => {
    const time = fc.integer({ min: -1e12, max: centuryAfterUnixEpochUs });
    const period = fc.integer({ min: 100, max: 400_000 });
    fc.assert(
      fc.property(
        time,
        period,
        period,
        fc.integer({ min: 0, max: 400_000 }),
        (t, tau, least, s) => {
          const phi = exactPhase(t, tau, s);
          fc.pre(phi > 2e-9 && phi < 1 - 2e-9);
          // One unit that is open if φ is not too large, one that is if it is not too small; the
          // third sets the length of the epoch.
          const scan = scanOf(
            [tau, tau, least],
            [s, s, 0],
            [phi + 1e-9, phi - 1e-9, 0.5],
            "square",
          );
          expect(scan(t).open.filter((j) => j < 2)).toEqual([0]);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it("find() opens a window at its first instant and closes it at its last", () => {
    const cycles = fc.integer({ min: -(2 ** 20), max: 2 ** 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), cycles, (quarter, n) => {
        const tau = 4 * quarter;
        const scan = scanOf([tau], [17], [0.25], "square");
        expect(scan(17 + n * tau).open).toEqual([0]);
        expect(scan(17 + n * tau + quarter - 1).open).toEqual([0]);
        expect(scan(17 + n * tau + quarter).open).toEqual([]);
        expect(scan(17 + n * tau - 1).open).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("find() gives k = 1 in the middle of the window, 1/2 half-way up and half-way down", () => {
    const scan = scanOf([1000, 1000, 1000, 1000], [0, 50, 75, 25], [0.1, 0.1, 0.1, 0.1]);
    const { open, k } = scan(1_000_000_100);
    expect(open).toEqual([1, 2, 3]);
    expect(k[0]).toBe(1);
    expect(k[1]).toBeCloseTo(0.5, 6);
    expect(k[2]).toBeCloseTo(0.5, 6);
  });

  it("find() gives the same result in whatever order the epochs are visited", () => {
    const periods = [1000, 2700, 31_000];
    const shifts = [12.5, 700, 1];
    const ratios = [0.3, 0.05, 0.9];
    const anyTime = fc.integer({ min: -1e10, max: 1e11 });
    fc.assert(
      fc.property(fc.array(anyTime, { minLength: 2, maxLength: 60 }), (times) => {
        const travelled = scanOf(periods, shifts, ratios);
        for (const t of times) {
          expect(travelled(t)).toEqual(scanOf(periods, shifts, ratios)(t));
        }
      }),
    );
  });

  it("find() opens nothing at a time that is not a number, and recovers", () => {
    const scan = scanOf([1000], [0], [1]);
    expect(scan(Number.NaN).open).toEqual([]);
    expect(scan(Number.POSITIVE_INFINITY).open).toEqual([]);
    expect(scan(5).open).toEqual([0]);
  });
});
