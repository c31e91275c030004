import type { CodecEngine } from "../wasm/codec-module.ts";
import type { detectEventFormat } from "./detect-event-format.ts";
import type { DvsDecoder, SensorSize } from "./dvs-decoder.ts";
import { createEventStreamDecoder } from "./event-stream.ts";
import { createAedat2Decoder } from "./inivation/aedat2-decoder.ts";
import { createAedat3Decoder } from "./inivation/aedat3-decoder.ts";
import { createAedat4Decoder } from "./inivation/aedat4-decoder.ts";
import { createNmnistDecoder } from "./nmnist.ts";
import { createNpyDecoder } from "./npy.ts";
import { createDatDecoder } from "./prophesee/dat-decoder.ts";
import { createRawDecoder } from "./prophesee/raw-decoder.ts";

/**
 * The decoder of a format.
 *
 * @param size overrides what the file says, or stands in where it says nothing
 * @param engine what decodes the regular runs; the result is the same
 */
export function createDvsDecoder(
  format: NonNullable<ReturnType<typeof detectEventFormat>>,
  size?: SensorSize,
  engine?: CodecEngine,
): DvsDecoder {
  switch (format) {
    case "raw":
      return createRawDecoder({ size, engine });
    case "evt2":
    case "evt3":
    case "evt21":
    case "evt21-legacy":
      return createRawDecoder({ size, format, engine });
    case "dat":
      return createDatDecoder(size);
    case "aedat4":
      return createAedat4Decoder(size, engine);
    case "aedat3":
      return createAedat3Decoder(size);
    case "aedat2":
      return createAedat2Decoder(size);
    case "nmnist":
      return createNmnistDecoder(size);
    case "es":
      return createEventStreamDecoder();
    case "npy":
      return createNpyDecoder(size);
  }
}
