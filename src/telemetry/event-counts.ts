/** Why an event that came in did not reach the graph. */
export type DropReason =
  | "late"
  | "duplicate"
  | "malformed"
  | "unknown-sensor"
  | "future"
  | "backward-jump"
  | "overflow"
  | "no-face"
  | "filtered";

/** What was out of the ordinary without an event being lost here. */
export type AnomalyReason =
  | "seq-gap"
  | "reboot"
  | "sensor-idle"
  | "sensor-left"
  | "sensor-joined"
  | "gave-up-waiting"
  | "rewound"
  | "applied-late"
  | "clock-step"
  | "log-hole";

/**
 * Counts what goes through a pipeline; a DVS packet counts as the events it holds, anything else,
 * markers too, as one. At rest,
 * `taken = fused + Σ dropped`: every drop has a reason.
 */
export class EventCounts {
  #taken = 0;
  #fused = 0;
  readonly #dropped: Map<DropReason, number> = new Map();
  readonly #anomalies: Map<AnomalyReason, number> = new Map();

  take(events: number): void {
    this.#taken += events;
  }

  fuse(events: number): void {
    this.#fused += events;
  }

  drop(reason: DropReason, events: number): void {
    add(this.#dropped, reason, events);
  }

  /**
   * Items missing for a gap; events for what was rewound, applied late or missing in a log;
   * occurrences otherwise.
   */
  note(reason: AnomalyReason, count: number): void {
    add(this.#anomalies, reason, count);
  }

  get taken(): number {
    return this.#taken;
  }

  get fused(): number {
    return this.#fused;
  }

  get dropped(): Readonly<Record<string, number>> {
    return sorted(this.#dropped);
  }

  get anomalies(): Readonly<Record<string, number>> {
    return sorted(this.#anomalies);
  }

  /** Events taken in that neither reached the graph nor were dropped: still waiting in a buffer. */
  get waiting(): number {
    let dropped = 0;
    for (const events of this.#dropped.values()) dropped += events;
    return this.#taken - this.#fused - dropped;
  }

  /**
   * Throws if events are unaccounted for when nothing waits any more: they were lost without a reason,
   * or counted twice. Either is an error of the program.
   */
  assertComplete(): void {
    const { waiting } = this;
    if (waiting === 0) return;
    const sums = `${this.#taken} taken, ${this.#fused} fused, dropped ${JSON.stringify(this.dropped)}`;
    throw new Error(`Events taken must be those fused and dropped, got ${waiting} more: ${sums}`);
  }
}

function add<R>(counts: Map<R, number>, reason: R, count: number): void {
  if (count > 0) counts.set(reason, (counts.get(reason) ?? 0) + count);
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b)));
}
