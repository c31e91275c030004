import type { Sink } from "../../src/streams/sink.ts";

/** A sink that keeps lines as they would be written. */
export function lineSink(): Sink & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    write: (predictions) => {
      for (const prediction of predictions) lines.push(JSON.stringify(prediction));
    },
    close: async () => undefined,
  };
}
