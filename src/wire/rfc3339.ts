import type { TimeUs } from "../sensors/time.ts";

const dayUs = 86_400e6;

/**
 * Event time as RFC 3339 in UTC, to the microsecond. `Date` has milliseconds only.
 *
 * ```ts
 * rfc3339FromUs(1_700_000_000_123_457); // "2023-11-14T22:13:20.123457Z"
 * ```
 */
export function rfc3339FromUs(timeUs: TimeUs): string {
  const day = Math.floor(timeUs / dayUs);
  const rest = timeUs - day * dayUs;
  const micros = rest % 1e6;
  const seconds = (rest - micros) / 1e6;
  const hour = Math.floor(seconds / 3600);
  const minute = Math.floor(seconds / 60) % 60;
  const time = `${digits(hour, 2)}:${digits(minute, 2)}:${digits(seconds % 60, 2)}`;
  return `${dateOf(day)}T${time}.${digits(micros, 6)}Z`;
}

/**
 * Gregorian date of a day counted from 1970-01-01: years begin in March, so that the leap day is
 * the last of its year, and 400 years have 146,097 days.
 */
function dateOf(day: number): string {
  const shifted = day + 719_468; // from 0000-03-01
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const yearStart = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - yearStart;
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(dayOfMonth, 2)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
