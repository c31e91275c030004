import type { ReadStream } from "node:tty";
import type { Pace } from "../../streams/replay/pace.ts";

const rightArrow = "\u001b[C";
const interrupt = "\u0003";

/** A terminal that tells keys one by one. */
type Keys = Pick<ReadStream, "setRawMode" | "on" | "off" | "pause" | "resume" | "unref">;

/**
 * Space stands still and goes on, → lets one tick through, Ctrl-C ends as ever.
 *
 * @param pace the one of the run under way
 * @param onInterrupt a terminal that tells keys sends no signal
 * @returns a function that gives the terminal back
 */
export function controlByKeys(
  keys: Keys,
  pace: () => Pace | undefined,
  onInterrupt: () => void,
): () => void {
  const onData = (bytes: Buffer): void => {
    const text = bytes.toString("utf8");
    if (text.includes(interrupt)) onInterrupt();
    const current = pace();
    if (current === undefined) return;
    if (text === rightArrow) {
      if (current.isPaused) current.step();
      else current.pause();
    } else if (text === " ") {
      if (current.isPaused) current.resume();
      else current.pause();
    }
  };
  keys.setRawMode(true);
  keys.on("data", onData);
  keys.resume();
  // Keys are waited for only as long as there is something to replay.
  keys.unref();
  return () => {
    keys.off("data", onData);
    keys.setRawMode(false);
    keys.pause();
  };
}
