import { PolyphaseError } from "../../polyphase-error.ts";
import { type DvsDecoder, largestSensorSize, type SensorSize } from "./dvs-decoder.ts";
import { type NpyField, type NpyLayout, parseNpyHeader } from "./npy-header.ts";
import { latin1 } from "./prophesee/raw-header.ts";
import type { ByteQueue } from "./stream/byte-queue.ts";
import { EventClock } from "./stream/event-clock.ts";
import { HeaderedPayload } from "./stream/headered-payload.ts";
import type { PacketBuilder } from "./stream/packet-builder.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
  type PayloadDecoder,
} from "./stream/payload-decoder.ts";
import { StreamingDecoder } from "./stream/streaming-decoder.ts";

const magic = "\x93NUMPY";
/** Magic, version and the length that version 2 and 3 state with four bytes. */
const preambleBytes = 12;
const headerBytesMax = 65_536;

type ReadNumber = (view: DataView, record: number) => number;

/** How to read one of the four columns of an event, whatever the types chosen for it. */
function columnReader(layout: NpyLayout, names: readonly string[]): ReadNumber {
  const field = layout.fields.find(({ name }) => names.includes(name.toLowerCase()));
  const read = field === undefined ? undefined : integerReader(field);
  if (read === undefined) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read NPY events: there must be an integer field named ${names.join(" or ")}, got ${layout.fields.map(({ name, kind, bytes }) => `${name} ${kind}${bytes}`).join(", ")}`,
    );
  }
  return read;
}

function integerReader(field: NpyField): ReadNumber | undefined {
  const { offset, isLittleEndian: le } = field;
  switch (field.kind + field.bytes) {
    case "b1":
    case "u1":
      return (view, record) => view.getUint8(record + offset);
    case "i1":
      return (view, record) => view.getInt8(record + offset);
    case "u2":
      return (view, record) => view.getUint16(record + offset, le);
    case "i2":
      return (view, record) => view.getInt16(record + offset, le);
    case "u4":
      return (view, record) => view.getUint32(record + offset, le);
    case "i4":
      return (view, record) => view.getInt32(record + offset, le);
    case "u8":
    case "i8": {
      const high = offset + (le ? 4 : 0);
      const low = offset + (le ? 0 : 4);
      return (view, record) =>
        view.getInt32(record + high, le) * 2 ** 32 + view.getUint32(record + low, le);
    }
    default:
      return undefined;
  }
}

class NpyPayload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #recordBytes: number;
  readonly #readTime: ReadNumber;
  readonly #readX: ReadNumber;
  readonly #readY: ReadNumber;
  readonly #readPolarity: ReadNumber;
  #recordsLeft: number;

  constructor(counts: DecoderCounts, layout: NpyLayout) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, Number.POSITIVE_INFINITY);
    this.#recordBytes = layout.recordBytes;
    this.#recordsLeft = layout.records;
    this.#readTime = columnReader(layout, ["t", "ts", "timestamp", "time"]);
    this.#readX = columnReader(layout, ["x"]);
    this.#readY = columnReader(layout, ["y"]);
    this.#readPolarity = columnReader(layout, ["p", "polarity", "on"]);
  }

  decode(bytes: ByteQueue, packets: PacketBuilder, ended: boolean): boolean {
    const { view } = bytes;
    while (!packets.isReady && this.#recordsLeft > 0 && bytes.length >= this.#recordBytes) {
      this.#readEvent(view, bytes.start, packets);
      bytes.consume(this.#recordBytes);
      this.#recordsLeft--;
    }
    if (packets.isReady) return false;
    if (ended && this.#recordsLeft > 0 && bytes.length === 0) {
      this.#counts.anomalies["truncated-tail"]++;
      this.#recordsLeft = 0;
    }
    return true;
  }

  #readEvent(view: DataView, record: number, packets: PacketBuilder): void {
    const { anomalies } = this.#counts;
    const timeUs = this.#clock.stamp(this.#readTime(view, record));
    this.#clock.cutIfDiscontinuous(packets);
    const x = this.#readX(view, record);
    const y = this.#readY(view, record);
    const polarity = this.#readPolarity(view, record);
    // Both 0, 1 and −1, 1 are in use.
    if (polarity > 1 || polarity < -1) anomalies["bad-polarity"]++;
    if (x < 0 || x >= packets.width) anomalies["x-out-of-range"]++;
    else if (y < 0 || y >= packets.height) anomalies["y-out-of-range"]++;
    else packets.append(timeUs, x, y, polarity > 0 ? 1 : 0);
  }
}

/**
 * Decodes NumPy `.npy` files of events as structured arrays with the integer fields x, y, p and t
 * (tonic's data sets), t in µs. The format carries no sensor size: 2048 × 2048, counted as
 * `size-unknown`, unless `size` is given.
 */
export function createNpyDecoder(size?: SensorSize): DvsDecoder {
  const counts = createDecoderCounts();
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    const layout = readLayout(bytes, ended);
    if (layout === undefined) return undefined;
    if (size === undefined) counts.anomalies["size-unknown"]++;
    const { width, height } = size ?? largestSensorSize;
    packets.setSize(width, height);
    return new NpyPayload(counts, layout);
  });
  return new StreamingDecoder(payload, counts);
}

function readLayout(bytes: ByteQueue, ended: boolean): NpyLayout | undefined {
  if (bytes.length < preambleBytes && !ended) return undefined;
  const { view, start } = bytes;
  const head = latin1(bytes.bytes.subarray(start, start + magic.length));
  if (bytes.length < preambleBytes || head !== magic) throw badHeader("begin with \\x93NUMPY");
  const isVersion1 = view.getUint8(start + 6) === 1;
  const length = isVersion1 ? view.getUint16(start + 8, true) : view.getUint32(start + 8, true);
  if (length > headerBytesMax)
    throw badHeader(`hold at most ${headerBytesMax} bytes, got ${length}`);
  const from = isVersion1 ? 10 : preambleBytes;
  if (bytes.length < from + length) {
    if (!ended) return undefined;
    throw badHeader(`be complete, got ${bytes.length} of ${from + length} bytes`);
  }
  const layout = parseNpyHeader(latin1(bytes.bytes.subarray(start + from, start + from + length)));
  bytes.consume(from + length);
  return layout;
}

function badHeader(must: string): PolyphaseError {
  return new PolyphaseError(
    "BAD_DATA",
    `Cannot read NPY events: the header at byte 0 must ${must}`,
  );
}
