import type { ReadStream } from "node:tty";
import type { Pace } from "../../streams/replay/pace.ts";

const rightArrow = "\u001b[C";
const interrupt = "\u0003";
/** A control sequence of the terminal is one key, and so is any other character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what keys send
const keyPattern = /\u001b\[[\d;]*[A-Za-z~]|./gs;

/** A terminal that tells keys one by one. */
type Keys = Pick<ReadStream, "setRawMode" | "on" | "off" | "pause" | "resume">;

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
  const onKey = (key: string): void => {
    if (key === interrupt) onInterrupt();
    const current = pace();
    if (current === undefined) return;
    if (key === rightArrow && current.isPaused) current.step();
    else if (key === " " && current.isPaused) current.resume();
    else if (key === rightArrow || key === " ") current.pause();
  };
  const onData = (bytes: Buffer): void => {
    // Keys that were pressed while this process was busy come together.
    for (const key of bytes.toString("utf8").match(keyPattern) ?? []) onKey(key);
  };
  keys.setRawMode(true);
  keys.on("data", onData);
  // While a replay stands still, nothing but the keys keeps the process alive.
  keys.resume();
  return () => {
    keys.off("data", onData);
    keys.setRawMode(false);
    keys.pause();
  };
}
