import type { TimeUs } from "../../sensors/time.ts";
import { type ClockMap, mapClock } from "./clock-map.ts";
import { DelayEnvelope, type DelayLine } from "./delay-envelope.ts";

/**
 * What is believed of a sensor's clock: that it shows event time (`trusted`), that it runs at the
 * right speed (`offset`), or neither (`offset+drift`).
 */
export type ClockMode = "trusted" | "offset" | "offset+drift";

/** Observations between two looks for a step. */
const blockSize = 64;
/** Every seventh delay of a block is smaller: fewer than that are outliers. */
const blockQuantile = 0.15;
/**
 * A block is held against the line at the beginning of the block before it: a line that has begun to
 * follow a step no longer shows it. One that is older than this tells no more than the line of now.
 */
const earlierLineUs = 15_000_000;
/** A whole block above the line by this much, or a seventh below it by that: a step. */
const stepUpUs = 5_000;
const stepDownUs = 1_000;
/** An observation this far below the line is an outlier until a step is found. */
const outlierUs = 5_000;
/** Sensor time in which a map pulls to its line, and from one map to the next. */
const slewUs = 2_000_000;
const updateUs = 1_000_000;
/** While it slews, mapped time runs at no less than half and no more than twice its speed. */
const slewRateMin = 0.5;
const slewRateMax = 2;
/** A sensor whose time falls by this much has a new clock. */
const restartUs = 1_000_000;

/**
 * Maps one sensor's time to event time on the receiver's clock, from pairs of sensor and receive
 * time. It is a function of the pairs alone, so that a replay of recorded pairs gives the same maps.
 *
 * Mapped time never goes back while sensor time goes forward: where the estimate changes, the next
 * map starts where the last one is and slews. When the sensor's clock itself is set back, mapped time
 * goes on from where it was.
 */
export class ClockModel {
  readonly #withDrift: boolean;
  readonly #onMap: (map: ClockMap) => void;
  readonly #envelope = new DelayEnvelope();
  /** Residuals of the block, against the earlier line. */
  readonly #block: { sensorUs: number; delayUs: number; residualUs: number }[] = [];
  #line: DelayLine | undefined;
  /** Lines at the beginning of the block before and of this one. */
  readonly #earlier: { readonly line: DelayLine; readonly receivedUs: TimeUs }[] = [];
  #map: ClockMap | undefined;
  /** Latest sensor time, and the latest time given out. */
  #latestUs: TimeUs = Number.NEGATIVE_INFINITY;
  #steps = 0;

  /** @param onMap hears of every new map before it is used */
  constructor(mode: Exclude<ClockMode, "trusted">, onMap: (map: ClockMap) => void) {
    this.#withDrift = mode === "offset+drift";
    this.#onMap = onMap;
  }

  /** The map that holds now; undefined before the first observation. */
  get map(): ClockMap | undefined {
    return this.#map;
  }

  /** Times that the sensor's clock was found to have been set. */
  get steps(): number {
    return this.#steps;
  }

  /** Takes a pair of times: when a sensor sent something, and when it arrived. */
  observe(sensorUs: TimeUs, receivedUs: TimeUs): void {
    const delayUs = receivedUs - sensorUs;
    if (this.#map === undefined || sensorUs < this.#latestUs - restartUs) {
      this.#restart(sensorUs, delayUs);
      return;
    }
    if (delayUs - delayAt(this.#line!, sensorUs) > -outlierUs) {
      this.#envelope.add(sensorUs, delayUs);
    }
    const residualUs = delayUs - delayAt(this.#earlierLine(receivedUs), sensorUs);
    this.#block.push({ sensorUs, delayUs, residualUs });
    const hasStepped = this.#block.length === blockSize && this.#endBlock(receivedUs);
    this.#latestUs = Math.max(this.#latestUs, sensorUs);
    if (hasStepped || this.#latestUs - this.#map.fromUs >= updateUs) this.#update();
  }

  /** Event time of a sensor time, whole microseconds. */
  toEventTime(sensorUs: TimeUs): TimeUs {
    return this.#map === undefined ? sensorUs : Math.round(mapClock(this.#map, sensorUs));
  }

  #earlierLine(receivedUs: TimeUs): DelayLine {
    const earlier = this.#earlier;
    if (this.#block.length === 0 && earlier.push({ line: this.#line!, receivedUs }) > 2) {
      earlier.shift();
    }
    const first = earlier[0]!;
    return receivedUs - first.receivedUs > earlierLineUs ? this.#line! : first.line;
  }

  /** @returns true if the block shows that the clock was set */
  #endBlock(receivedUs: TimeUs): boolean {
    const block = this.#block.splice(0);
    const residuals = block.map(({ residualUs }) => residualUs).sort((a, b) => a - b);
    const low = residuals[Math.floor(blockQuantile * blockSize)]!;
    // As many of the smallest as there can be outliers do not count.
    const least = residuals[Math.floor(blockQuantile * blockSize * 0.5)]!;
    const isStep = least > stepUpUs || low < -stepDownUs;
    if (!isStep) return false;
    this.#steps++;
    // Of slow sensors a step shows so late that it may have spoilt the drift.
    const isSeenEarly = receivedUs - this.#earlier[0]!.receivedUs <= earlierLineUs;
    this.#earlier.length = 0;
    this.#envelope.clear(isSeenEarly);
    for (const { sensorUs, delayUs, residualUs } of block) {
      if (residualUs >= low - outlierUs) this.#envelope.add(sensorUs, delayUs);
    }
    return true;
  }

  /** The first observation of a clock: event time begins at its receive time, or goes on. */
  #restart(sensorUs: TimeUs, delayUs: number): void {
    if (this.#map !== undefined) this.#steps++;
    const lastUs =
      this.#map === undefined ? Number.NEGATIVE_INFINITY : mapClock(this.#map, this.#latestUs) + 1;
    this.#envelope.clear(true);
    this.#earlier.length = 0;
    this.#block.length = 0;
    this.#envelope.add(sensorUs, delayUs);
    this.#line = { atUs: sensorUs, offsetUs: delayUs, drift: 0 };
    this.#latestUs = sensorUs;
    this.#begin(Math.max(lastUs, sensorUs + delayUs), 1, 1);
  }

  /** Fits the line anew and pulls the map to it. */
  #update(): void {
    this.#line = this.#envelope.line(this.#withDrift)!;
    const atUs = this.#latestUs;
    const rate = 1 + this.#line.drift;
    const mappedUs = mapClock(this.#map!, atUs);
    const goalUs = atUs + delayAt(this.#line, atUs);
    const slewRate = rate + (goalUs - mappedUs) / slewUs;
    this.#begin(mappedUs, Math.min(slewRateMax, Math.max(slewRateMin, slewRate)), rate);
  }

  #begin(mappedUs: number, slewRate: number, rate: number): void {
    this.#map = {
      version: (this.#map?.version ?? 0) + 1,
      fromUs: this.#latestUs,
      mappedUs,
      slewRate,
      slewUntilUs: this.#latestUs + slewUs,
      rate,
    };
    this.#onMap(this.#map);
  }
}

function delayAt({ atUs, offsetUs, drift }: DelayLine, sensorUs: TimeUs): number {
  return offsetUs + (sensorUs - atUs) * drift;
}
