import { InvalidArgumentError } from "commander";
import type { Prediction } from "../../fusion/prediction.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Sink } from "../../streams/sink.ts";

/** A point in event time, as people name it. */
export type TimePoint =
  | { readonly from: "start"; readonly us: number }
  | { readonly from: "epoch"; readonly us: TimeUs };

/** Event time that is wanted: from `startUs` on, and before `endUs`. */
export interface TimeWindow {
  readonly startUs?: TimeUs;
  readonly endUs?: TimeUs;
}

/**
 * Reads a point in time for commander: seconds from the start of the recording, an RFC 3339 time in
 * UTC, or whole microseconds with the unit.
 */
export function timePoint(text: string): TimePoint {
  const seconds = /^(\d+(?:\.\d+)?)s?$/.exec(text);
  if (seconds !== null) return { from: "start", us: Math.round(Number(seconds[1]) * 1e6) };
  const micros = /^(\d{1,16})(?:us|µs)$/.exec(text);
  if (micros !== null) return { from: "epoch", us: Number(micros[1]) };
  const utc = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(text);
  const wholeMs = utc === null ? Number.NaN : Date.parse(`${utc[1]}Z`);
  if (Number.isNaN(wholeMs)) {
    throw new InvalidArgumentError(
      "must be seconds from the start (1.5), UTC (2026-11-21T10:00:00.5Z) or microseconds (1500000us)",
    );
  }
  return { from: "epoch", us: wholeMs * 1000 + Number((utc![2] ?? "").padEnd(6, "0")) };
}

/** The event time of a point. @param startUs of the recording */
export function resolveTime(point: TimePoint, startUs: TimeUs): TimeUs {
  return point.from === "epoch" ? point.us : startUs + point.us;
}

/** Hands over only predictions of a window. */
export function windowed(sink: Sink, { startUs, endUs }: TimeWindow): Sink {
  if (startUs === undefined && endUs === undefined) return sink;
  const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
  const isWanted = ({ timeUs }: Prediction): boolean =>
    timeUs >= (startUs ?? NEGATIVE_INFINITY) && timeUs < (endUs ?? POSITIVE_INFINITY);
  return {
    write: (predictions) => {
      const wanted = predictions.filter(isWanted);
      return wanted.length > 0 ? sink.write(wanted) : undefined;
    },
    close: () => sink.close(),
  };
}
