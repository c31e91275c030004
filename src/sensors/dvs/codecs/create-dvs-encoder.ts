import { PolyphaseError } from "../../polyphase-error.ts";
import type { SensorSize } from "./dvs-decoder.ts";
import type { DvsEncoder } from "./dvs-encoder.ts";
import { createEventStreamEncoder } from "./event-stream.ts";
import { createNmnistEncoder } from "./nmnist.ts";
import { createEvt2Encoder } from "./prophesee/evt2-encoder.ts";
import { createEvt3Encoder } from "./prophesee/evt3-encoder.ts";

/** Formats this package can write. */
export const encodableFormats = ["evt2", "evt3", "nmnist", "es"] as const;

export type EncodableFormat = (typeof encodableFormats)[number];

/** Columns and rows that EVT words can address. */
const evtPixelsMax = 2048;

/**
 * The encoder of a format.
 *
 * @throws {PolyphaseError} BAD_DATA if the format cannot address a sensor of that size
 */
export function createDvsEncoder(format: EncodableFormat, size: SensorSize): DvsEncoder {
  switch (format) {
    case "evt2":
      checkSize(size, evtPixelsMax);
      return createEvt2Encoder(size);
    case "evt3":
      checkSize(size, evtPixelsMax);
      return createEvt3Encoder(size);
    case "nmnist":
      return createNmnistEncoder();
    case "es":
      return createEventStreamEncoder(size);
  }
}

function checkSize({ width, height }: SensorSize, pixelsMax: number): void {
  if (width > pixelsMax || height > pixelsMax) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot encode EVT words: width and height must be at most ${pixelsMax}, got ${width} × ${height}`,
    );
  }
}
