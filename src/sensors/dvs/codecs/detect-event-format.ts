import { latin1 } from "./prophesee/raw-header.ts";

/** Event-camera files this package can read, besides those in a container. */
export const eventFormats = [
  "evt2",
  "evt3",
  "evt21",
  "evt21-legacy",
  "dat",
  "aedat4",
  "aedat3",
  "aedat2",
  "nmnist",
  "es",
  "npy",
] as const;

export type EventFormat = (typeof eventFormats)[number];

/** A Prophesee RAW file: its header says which of the EVT formats it holds. */
type DetectedFormat = EventFormat | "raw";

const signatures: readonly (readonly [string, DetectedFormat])[] = [
  ["#!AER-DAT4", "aedat4"],
  ["#!AER-DAT3", "aedat3"],
  ["#!AER-DAT2", "aedat2"],
  ["Event Stream", "es"],
  ["\x93NUMPY", "npy"],
];
const rawHeaderKeys = /^% (evt|format|system_ID|geometry|plugin_name|integrator_name) /im;
const extensions: readonly (readonly [string, DetectedFormat])[] = [
  [".bin", "nmnist"],
  [".bs2", "nmnist"],
  [".dat", "dat"],
];

/**
 * The format of a file from its first bytes. N-MNIST files and DAT files without a header begin
 * with their first event: for these, the end of the name decides.
 *
 * @param head the first bytes; a few kilobytes do
 * @param name the file's name
 */
export function detectEventFormat(head: Uint8Array, name: string): DetectedFormat | undefined {
  const text = latin1(head.subarray(0, 8192));
  const signed = signatures.find(([signature]) => text.startsWith(signature));
  if (signed !== undefined) return signed[1];
  if (text.startsWith("% ")) return rawHeaderKeys.test(text) ? "raw" : "dat";
  return extensions.find(([extension]) => name.toLowerCase().endsWith(extension))?.[1];
}
