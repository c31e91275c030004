import { PolyphaseError } from "../../../polyphase-error.ts";
import { type DvsDecoder, largestSensorSize, type SensorSize } from "../dvs-decoder.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";
import { EventClock } from "../stream/event-clock.ts";
import { HeaderedPayload } from "../stream/headered-payload.ts";
import type { PacketBuilder } from "../stream/packet-builder.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
  type PayloadDecoder,
} from "../stream/payload-decoder.ts";
import { StreamingDecoder } from "../stream/streaming-decoder.ts";
import { type HeaderFields, readPercentHeader, sizeOf } from "./raw-header.ts";

const recordBytes = 8;
const timeRangeUs = 2 ** 32;
const typeEvent2D = 0x00;
const typeEventCD = 0x0c;

/** Where x, y and polarity lie in the second word of a record. */
interface DatLayout {
  readonly xBits: number;
  readonly yBits: number;
}

const layoutV1: DatLayout = { xBits: 9, yBits: 8 };
const layoutV2: DatLayout = { xBits: 14, yBits: 14 };

class DatPayload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #layout: DatLayout;

  constructor(counts: DecoderCounts, layout: DatLayout) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, timeRangeUs);
    this.#layout = layout;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    const { view, end } = bytes;
    const { xBits, yBits } = this.#layout;
    const xMask = 2 ** xBits - 1;
    const yMask = 2 ** yBits - 1;
    const clock = this.#clock;
    let at = bytes.start;
    while (!packets.isReady && at + recordBytes <= end) {
      const timeUs = clock.stamp(view.getUint32(at, true));
      const word = view.getUint32(at + 4, true);
      at += recordBytes;
      clock.cutIfDiscontinuous(packets);
      const x = word & xMask;
      const y = (word >>> xBits) & yMask;
      if (x >= packets.width) this.#counts.anomalies["x-out-of-range"]++;
      else if (y >= packets.height) this.#counts.anomalies["y-out-of-range"]++;
      else packets.append(timeUs, x, y, (word >>> (xBits + yBits)) & 1);
    }
    bytes.consumeTo(at);
    return at + recordBytes > end;
  }
}

/**
 * Decodes Prophesee DAT files (docs.prophesee.ai, "DAT file format"): a `%` header, one byte each
 * of event type and size, then records of u32 time in µs and u32 x, y, polarity. A file without
 * header lines has no type and size either. `% Version 1` has 9 bits of x and 8 of y.
 *
 * @param size overrides the header's; 2048 × 2048 where neither says, counted as `size-unknown`
 */
export function createDatDecoder(size?: SensorSize): DvsDecoder {
  const counts = createDecoderCounts();
  let fields: HeaderFields | undefined;
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    fields ??= readPercentHeader(bytes, ended);
    if (fields === undefined) return undefined;
    const hasHeader = bytes.position > 0;
    if (hasHeader && bytes.length < 2 && !ended) return undefined;
    if (hasHeader) readRecordType(bytes);
    const actualSize = size ?? sizeOf(fields.get("width"), fields.get("height"));
    if (actualSize === undefined) counts.anomalies["size-unknown"]++;
    const { width, height } = actualSize ?? largestSensorSize;
    packets.setSize(width, height);
    return new DatPayload(counts, fields.get("version") === "1" ? layoutV1 : layoutV2);
  });
  return new StreamingDecoder(payload, counts);
}

function readRecordType(bytes: ByteQueue): void {
  const [type, size] = bytes.bytes.subarray(bytes.start, bytes.end);
  if ((type !== typeEvent2D && type !== typeEventCD) || size !== recordBytes) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read DAT events: type, size must be 0 or 12, ${recordBytes}, got ${type}, ${size} at byte ${bytes.position}`,
    );
  }
  bytes.consume(2);
}
