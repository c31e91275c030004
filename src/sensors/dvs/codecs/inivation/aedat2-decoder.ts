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
import { cameraSize } from "./camera-size.ts";
import { readHashHeader } from "./hash-header.ts";

const signature = "#!AER-DAT2.0";
const endLine = "#End Of ASCII Header";
const recordBytes = 8;
const timeRangeUs = 2 ** 32;

/** Where a camera's 32-bit address holds what. */
interface AddressLayout {
  /** Bits that are zero for an event of a pixel. */
  readonly otherMask: number;
  /** Of those, the bit that marks an external trigger if it alone is set. */
  readonly triggerMask: number;
  readonly xShift: number;
  readonly xMask: number;
  readonly yShift: number;
  readonly yMask: number;
  readonly onShift: number;
}

/** inivation, AEDAT 2.0: bit 15 external, y 8–14, x 1–7, polarity 0. */
const dvs128Layout: AddressLayout = {
  otherMask: 0x8000,
  triggerMask: 0x8000,
  xShift: 1,
  xMask: 0x7f,
  yShift: 8,
  yMask: 0x7f,
  onShift: 0,
};
/** DAVIS: bit 31 APS or IMU, y 22–30, x 12–21, polarity 11, bit 10 external. */
const davisLayout: AddressLayout = {
  otherMask: 0x8000_0400 | 0,
  triggerMask: 0x400,
  xShift: 12,
  xMask: 0x3ff,
  yShift: 22,
  yMask: 0x1ff,
  onShift: 11,
};

class Aedat2Payload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #layout: AddressLayout;

  constructor(counts: DecoderCounts, layout: AddressLayout) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, timeRangeUs);
    this.#layout = layout;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    const { view, end } = bytes;
    const { otherMask, triggerMask } = this.#layout;
    let at = bytes.start;
    while (!packets.isReady && at + recordBytes <= end) {
      const address = view.getInt32(at);
      const other = address & otherMask;
      if (other === 0) this.#readEvent(address, view.getUint32(at + 4), packets);
      else if (other === triggerMask) this.#counts.triggers++;
      at += recordBytes;
    }
    bytes.consumeTo(at);
    return at + recordBytes > end;
  }

  /** Rows count from the bottom. */
  #readEvent(address: number, rawUs: number, packets: PacketBuilder): void {
    const layout = this.#layout;
    const timeUs = this.#clock.stamp(rawUs);
    this.#clock.cutIfDiscontinuous(packets);
    const x = (address >>> layout.xShift) & layout.xMask;
    const rowFromBottom = (address >>> layout.yShift) & layout.yMask;
    const on = (address >>> layout.onShift) & 1;
    if (x >= packets.width) this.#counts.anomalies["x-out-of-range"]++;
    else if (rowFromBottom >= packets.height) this.#counts.anomalies["y-out-of-range"]++;
    else packets.append(timeUs, x, packets.height - 1 - rowFromBottom, on);
  }
}

/**
 * Decodes AEDAT 2.0 files of DVS128 and DAVIS cameras: `#` lines, then big-endian u32 address and
 * u32 time in µs. The header's `AEChip` line says what the address means; DVS128 if there is none.
 *
 * @param size overrides the header's
 */
export function createAedat2Decoder(size?: SensorSize): DvsDecoder {
  const counts = createDecoderCounts();
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    const lines = readHashHeader(bytes, endLine, ended);
    if (lines === undefined) return undefined;
    if (!lines[0]?.startsWith(signature)) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read AEDAT 2: the first line must be "${signature}", got ${lines[0] ?? "no line"}`,
      );
    }
    const chip = lines.find((line) => line.includes("AEChip:")) ?? "DVS128";
    const actualSize = size ?? cameraSize(chip);
    if (actualSize === undefined) counts.anomalies["size-unknown"]++;
    const { width, height } = actualSize ?? largestSensorSize;
    packets.setSize(width, height);
    return new Aedat2Payload(counts, /dvs128/i.test(chip) ? dvs128Layout : davisLayout);
  });
  return new StreamingDecoder(payload, counts);
}
