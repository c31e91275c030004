/** 1234567 → 1,234,567 */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** 0.0512 → 5.12 % */
export function percent(fraction: number): string {
  return Number.isFinite(fraction) ? `${(fraction * 100).toFixed(2)} %` : "–";
}

/** Microseconds as seconds with milliseconds: 1234567 → 1.235 s */
export function seconds(timeUs: number): string {
  return `${(timeUs / 1e6).toFixed(3)} s`;
}

/** `late 3, future 1`, or `none` */
export function countsText(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0
    ? "none"
    : entries.map(([reason, count]) => `${reason} ${grouped(count)}`).join(", ");
}
