import type { Prediction } from "../fusion/prediction.ts";
import type { Sink } from "./sink.ts";

/** Predictions to several sinks; a write is over when it is over for all of them. */
export function teeSink(sinks: readonly Sink[]): Sink {
  return {
    write: (predictions) => writeAll(sinks, predictions),
    close: async () => {
      const closed = await Promise.allSettled(sinks.map((sink) => sink.close()));
      for (const result of closed) if (result.status === "rejected") throw result.reason;
    },
  };
}

function writeAll(
  sinks: readonly Sink[],
  predictions: readonly Prediction[],
): void | Promise<void> {
  const waiting = sinks.flatMap((sink) => sink.write(predictions) ?? []);
  if (waiting.length > 0) return Promise.all(waiting).then(() => undefined);
}
