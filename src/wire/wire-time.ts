import type { TimeUs } from "../sensors/time.ts";
import { badEvent } from "./bad-event.ts";

const twoTo32 = 2 ** 32;

/** A 64-bit integer in the halves that protobufjs reads and writes. */
export interface Bits64 {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

/** google.protobuf.Timestamp as protobufjs decodes it; `null` where the field is absent. */
export interface WireTimestamp {
  readonly seconds: Bits64;
  readonly nanos: number;
}

const timeRange = "a whole number of microseconds from 0 to 2^53 - 1";

/** Throws unless `timeUs` can be written and read back exactly: MCAP times are unsigned. */
export function checkTimeUs(
  verb: "decode" | "encode",
  schemaName: string,
  field: string,
  timeUs: number,
): void {
  if (!Number.isSafeInteger(timeUs) || timeUs < 0) {
    throw badEvent(verb, schemaName, field, timeRange, timeUs);
  }
}

/** Exact: no 64-bit nanosecond count passes through a float. */
export function timestampFromUs(timeUs: TimeUs): WireTimestamp {
  const micros = timeUs % 1e6;
  return {
    seconds: bits64((timeUs - micros) / 1e6),
    nanos: micros * 1000,
  };
}

/** Event time of a Timestamp; parts of a microsecond, an absent field and a negative time throw. */
export function timestampToUs(
  schemaName: string,
  field: string,
  timestamp: WireTimestamp | null,
): TimeUs {
  if (timestamp === null) {
    throw badEvent("decode", schemaName, field, "set", "nothing");
  }
  const { seconds, nanos } = timestamp;
  if (nanos < 0 || nanos > 999_999_999 || nanos % 1000 !== 0) {
    throw badEvent("decode", schemaName, `${field}.nanos`, "whole microseconds below 1 s", nanos);
  }
  const timeUs = (seconds.high * twoTo32 + (seconds.low >>> 0)) * 1e6 + nanos / 1000;
  checkTimeUs("decode", schemaName, field, timeUs);
  return timeUs;
}

/** `timeUs` as a 64-bit count of nanoseconds. Exact: every intermediate stays below 2^53. */
export function nanosecondsFromUs(timeUs: TimeUs): Bits64 {
  const lowProduct = (timeUs % twoTo32) * 1000;
  const low = lowProduct % twoTo32;
  const carry = (lowProduct - low) / twoTo32;
  const high = Math.floor(timeUs / twoTo32) * 1000 + carry;
  return { low, high, unsigned: true };
}

/** The inverse of {@link nanosecondsFromUs}; parts of a microsecond throw. */
export function nanosecondsToUs(schemaName: string, field: string, nanoseconds: Bits64): TimeUs {
  const high = nanoseconds.high >>> 0;
  const highRest = high % 1000;
  const lowUs = (highRest * twoTo32 + (nanoseconds.low >>> 0)) / 1000;
  const timeUs = ((high - highRest) / 1000) * twoTo32 + lowUs;
  checkTimeUs("decode", schemaName, field, timeUs);
  return timeUs;
}

/** A sequence number from its 64-bit field. */
export function sequenceToNumber(schemaName: string, seq: Bits64): number {
  const value = (seq.high >>> 0) * twoTo32 + (seq.low >>> 0);
  if (!Number.isSafeInteger(value)) {
    throw badEvent("decode", schemaName, "seq", "below 2^53", value);
  }
  return value;
}

/** A whole number from 0 to 2^53 - 1 in two halves. */
function bits64(value: number): Bits64 {
  return { low: value % twoTo32, high: Math.floor(value / twoTo32), unsigned: false };
}
