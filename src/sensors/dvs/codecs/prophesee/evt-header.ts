import type { SensorSize } from "../dvs-decoder.ts";

/** A RAW header that current and older readers understand. */
export function encodeRawHeader(version: 2 | 3, size: SensorSize): Uint8Array {
  const { width, height } = size;
  const text = [
    `% evt ${version}.0`,
    `% format EVT${version};height=${height};width=${width}`,
    `% geometry ${width}x${height}`,
    "% end",
    "",
  ].join("\n");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
