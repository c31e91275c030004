import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import { type ClockMap, mapClock } from "../../../src/streams/clock/clock-map.ts";
import { type ClockMode, ClockModel } from "../../../src/streams/clock/clock-model.ts";

interface Simulation {
  readonly mode?: Exclude<ClockMode, "trusted">;
  readonly seed: number;
  /** True time between two events, and of all, µs. */
  readonly stepUs: number;
  readonly spanUs: number;
  /** Sensor time as a function of true time. */
  readonly clock: (trueUs: number) => number;
}

interface Mapped {
  readonly trueUs: number;
  readonly sensorUs: number;
  readonly mappedUs: number;
}

/** Jitter of up to 20 ms, and 5 % outliers of −150 to +350 ms. */
function simulate(s: Simulation): { mapped: Mapped[]; maps: ClockMap[]; model: ClockModel } {
  const random = new Random(s.seed);
  const maps: ClockMap[] = [];
  const model = new ClockModel(s.mode ?? "offset+drift", (map) => maps.push(map));
  const mapped: Mapped[] = [];
  for (let trueUs = 0; trueUs < s.spanUs; trueUs += s.stepUs) {
    const sensorUs = Math.round(s.clock(trueUs));
    let delayUs = random.uniform() * 20_000;
    if (random.uniform() < 0.05) delayUs += (random.uniform() - 0.3) * 500_000;
    model.observe(sensorUs, Math.round(trueUs + delayUs));
    mapped.push({ trueUs, sensorUs, mappedUs: model.toEventTime(sensorUs) });
  }
  return { mapped, maps, model };
}

/** Median of |error| from `fromUs` to `toUs`. */
function medianError(mapped: readonly Mapped[], fromUs: number, toUs = Infinity): number {
  const errors = mapped
    .filter(({ trueUs }) => trueUs >= fromUs && trueUs < toUs)
    .map(({ trueUs, mappedUs }) => Math.abs(mappedUs - trueUs))
    .sort((a, b) => a - b);
  return errors[Math.floor(errors.length / 2)]!;
}

/** Pairs of neighbours of which mapped time falls while sensor time rises. */
function reversals(mapped: readonly Mapped[]): Mapped[] {
  return mapped.filter(({ sensorUs, mappedUs }, i) => {
    const before = mapped[i - 1];
    return before !== undefined && sensorUs > before.sensorUs && mappedUs < before.mappedUs;
  });
}

describe("ClockModel", () => {
  it.each([
    [1, 100, 100e-6],
    [1, 100, -100e-6],
    [1, 25, 100e-6],
    [1, 10, 100e-6],
    [1, 10, -100e-6],
    [2, 5, 100e-6],
  ])("is within %i ms after 60 s at %i Hz and a drift of %f", (errorMs, rate, drift) => {
    for (let seed = 0; seed < 10; seed++) {
      const { mapped } = simulate({
        ...{ seed, stepUs: 1e6 / rate, spanUs: 120e6 },
        clock: (trueUs) => 1e9 + trueUs * (1 + drift),
      });
      expect(medianError(mapped, 60e6), `seed ${seed}`).toBeLessThanOrEqual(1000 * errorMs);
      expect(reversals(mapped)).toEqual([]);
    }
  });

  it.each([5_000_000, 300_000, 50_000, 8_000, -8_000, -50_000, -300_000, -5_000_000])(
    "follows a clock that is set by %i µs, and never goes back while it goes on",
    (setUs) => {
      for (let seed = 0; seed < 4; seed++) {
        const { mapped, model } = simulate({
          ...{ seed, stepUs: 10_000, spanUs: 120e6 },
          clock: (trueUs) => 1e9 + trueUs * (1 + 1e-4) + (trueUs >= 60e6 ? setUs : 0),
        });
        expect(medianError(mapped, 60e6), `seed ${seed}`).toBeLessThanOrEqual(1000);
        expect(reversals(mapped)).toEqual([]);
        expect(model.steps).toBeGreaterThanOrEqual(1);
      }
    },
  );

  it.each([8_000, -8_000, 50_000, -50_000, 300_000, -300_000, 5_000_000, -5_000_000])(
    "is within 1 ms in the first minute after it was set by %i µs, at 10 Hz, since its drift goes on",
    (setUs) => {
      for (let seed = 0; seed < 12; seed++) {
        const { mapped } = simulate({
          ...{ seed, stepUs: 100_000, spanUs: 240e6 },
          clock: (trueUs) => 1e9 + trueUs * (1 + 1e-4) + (trueUs >= 120e6 ? setUs : 0),
        });
        expect(medianError(mapped, 120e6, 180e6), `seed ${seed}`).toBeLessThanOrEqual(1000);
        expect(medianError(mapped, 180e6), `seed ${seed}`).toBeLessThanOrEqual(1000);
        expect(reversals(mapped)).toEqual([]);
      }
    },
  );

  it("goes on from where it was when the sensor's clock begins anew", () => {
    const { mapped } = simulate({
      ...{ seed: 1, stepUs: 10_000, spanUs: 100e6 },
      clock: (trueUs) => (trueUs < 50e6 ? 1e12 + trueUs : trueUs - 50e6),
    });
    for (let i = 1; i < mapped.length; i++) {
      if (mapped[i]!.mappedUs < mapped[i - 1]!.mappedUs) expect.fail(`back at ${i}`);
    }
    expect(medianError(mapped, 60e6)).toBeLessThanOrEqual(1000);
  });

  it("estimates no drift where it is told that there is none", () => {
    const clock = (trueUs: number): number => 5e6 + trueUs;
    const { mapped, maps } = simulate({
      ...{ mode: "offset", seed: 2, stepUs: 10_000, spanUs: 120e6 },
      clock,
    });
    expect(medianError(mapped, 60e6)).toBeLessThanOrEqual(1000);
    expect(maps.every(({ rate }) => rate === 1)).toBe(true);
  });

  it("is its recorded maps: version by version, through JSON, the same times", () => {
    const { mapped, maps } = simulate({
      ...{ seed: 3, stepUs: 10_000, spanUs: 90e6 },
      clock: (trueUs) => 1e9 + trueUs * (1 + 1e-4) + (trueUs >= 40e6 ? 50_000 : 0),
    });
    const recorded = JSON.parse(JSON.stringify(maps)) as ClockMap[];
    expect(recorded.map(({ version }) => version)).toEqual(recorded.map((_, i) => i + 1));
    for (const { sensorUs, mappedUs } of mapped) {
      const valid = recorded.findLast(({ fromUs }) => fromUs <= sensorUs)!;
      if (Math.round(mapClock(valid, sensorUs)) !== mappedUs) expect.fail(`at ${sensorUs}`);
    }
  });
});
