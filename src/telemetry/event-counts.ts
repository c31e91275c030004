/** Why an event that came in did not reach the graph. */
export type DropReason =
  | "late"
  | "duplicate"
  | "malformed"
  | "unknown-sensor"
  | "future"
  | "overflow"
  | "filtered";

/**
 * Counts what goes through a pipeline; a DVS packet counts as the events it holds, anything else,
 * markers too, as one. At rest,
 * `taken = fused + Σ dropped`: every drop has a reason.
 */
export class EventCounts {
  #taken = 0;
  #fused = 0;
  readonly #dropped: Map<DropReason, number> = new Map();

  take(events: number): void {
    this.#taken += events;
  }

  fuse(events: number): void {
    this.#fused += events;
  }

  drop(reason: DropReason, events: number): void {
    if (events > 0) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + events);
  }

  get taken(): number {
    return this.#taken;
  }

  get fused(): number {
    return this.#fused;
  }

  get dropped(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#dropped].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** Events taken in that neither reached the graph nor were dropped: still waiting in a buffer. */
  get waiting(): number {
    let dropped = 0;
    for (const events of this.#dropped.values()) dropped += events;
    return this.#taken - this.#fused - dropped;
  }
}
