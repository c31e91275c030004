import { PolyphaseError } from "../../../polyphase-error.ts";
import { type CodecEngine, codecModule } from "../../wasm/codec-module.ts";
import { type DvsDecoder, largestSensorSize, type SensorSize } from "../dvs-decoder.ts";
import { HeaderedPayload } from "../stream/headered-payload.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
  type PayloadDecoder,
} from "../stream/payload-decoder.ts";
import { StreamingDecoder } from "../stream/streaming-decoder.ts";
import { Evt2Payload } from "./evt2-payload.ts";
import { Evt3Payload } from "./evt3-payload.ts";
import { Evt21Payload } from "./evt21-payload.ts";
import { type EvtFormat, parseRawHeader, readPercentHeader } from "./raw-header.ts";

/** What to take instead of a header's word. */
export interface RawDecoderOptions {
  readonly format?: EvtFormat | undefined;
  readonly size?: SensorSize | undefined;
  /** Default `wasm`. */
  readonly engine?: CodecEngine | undefined;
}

/** The decoder of one kind of EVT words, without a header. */
export function createEvtPayload(
  format: EvtFormat,
  counts: DecoderCounts,
  engine?: CodecEngine,
): PayloadDecoder {
  switch (format) {
    case "evt2":
      return new Evt2Payload(counts, codecModule(engine));
    case "evt3":
      return new Evt3Payload(counts, codecModule(engine));
    case "evt21":
      return new Evt21Payload(counts, "little");
    case "evt21-legacy":
      return new Evt21Payload(counts, "legacy");
  }
}

/**
 * Decodes Prophesee RAW files: EVT 2.0, 2.1 and 3.0. Times are the sensor's: nothing is subtracted.
 *
 * @param options override the header, or stand in for one that is missing. Where nothing says how
 *   large the sensor is, 2048 × 2048 is taken and `size-unknown` counted.
 */
export function createRawDecoder(options: RawDecoderOptions = {}): DvsDecoder {
  const counts = createDecoderCounts();
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    const fields = readPercentHeader(bytes, ended);
    if (fields === undefined) return undefined;
    const header = parseRawHeader(fields);
    const format = options.format ?? header.format;
    if (format === undefined) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read RAW events: the header must name EVT2, EVT3 or EVT21, got ${fields.get("format") ?? fields.get("evt") ?? "none"} before byte ${bytes.position}`,
      );
    }
    const size = options.size ?? header.size;
    if (size === undefined) counts.anomalies["size-unknown"]++;
    const { width, height } = size ?? largestSensorSize;
    packets.setSize(width, height);
    return createEvtPayload(format, counts, options.engine);
  });
  return new StreamingDecoder(payload, counts);
}
