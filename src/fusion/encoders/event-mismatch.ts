import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";

/** The error of an event that is not what the graph's sensor of that name expects. */
export function eventMismatch(event: SensorEvent, expected: string, got: string): PolyphaseError {
  return new PolyphaseError(
    "BAD_EVENT",
    `Cannot use event of sensor ${event.sensor} at ${event.timeUs} µs (stream ${event.stream}, seq ${event.seq}): expected ${expected}, got ${got}`,
  );
}
