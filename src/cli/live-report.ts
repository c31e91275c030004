import type { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { EventCounts } from "../telemetry/event-counts.ts";
import { countsText, grouped } from "./format/numbers.ts";

const reportMs = 10_000;
/** At most one line about malformed messages in this time: a broken sensor must not fill a disk. */
const malformedMs = 1000;

/** What a live run tells whoever watches it: rates and drops now and then, malformed messages. */
export class LiveReport {
  readonly #counts: EventCounts;
  readonly #say: (message: string) => void;
  readonly #timer: NodeJS.Timeout;
  #taken = 0;
  #reported = "";
  #quietUntilMs = 0;
  #unsaid = 0;

  constructor(counts: EventCounts, say: (message: string) => void) {
    this.#counts = counts;
    this.#say = say;
    this.#timer = setInterval(() => this.#report(), reportMs);
  }

  malformed(error: PolyphaseError, topic: string): void {
    if (performance.now() < this.#quietUntilMs) {
      this.#unsaid++;
      return;
    }
    const more = this.#unsaid === 0 ? "" : ` (and ${grouped(this.#unsaid)} more before)`;
    this.#say(`malformed message on ${JSON.stringify(topic)}, dropped: ${error.message}${more}`);
    this.#quietUntilMs = performance.now() + malformedMs;
    this.#unsaid = 0;
  }

  #report(): void {
    const { taken, dropped, anomalies } = this.#counts;
    const rate = ((taken - this.#taken) * 1000) / reportMs;
    this.#taken = taken;
    const text = `${grouped(rate)} events/s; dropped: ${countsText(dropped)}; anomalies: ${countsText(anomalies)}`;
    // A pipeline at rest has nothing new to say.
    if (text !== this.#reported) this.#say(text);
    this.#reported = text;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
