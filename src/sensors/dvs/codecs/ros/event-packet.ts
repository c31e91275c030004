import { PolyphaseError } from "../../../polyphase-error.ts";

/** A ROS `event_camera_msgs/EventPacket` (the older `event_array_msgs/EventArray` is the same). */
export interface RosEventPacket {
  readonly width: number;
  readonly height: number;
  readonly seq: bigint;
  /** Sensor time that the packet's times count from, ns. Unused by `evt3`. */
  readonly timeBaseNs: bigint;
  /** `evt3`, `libcaer_cmp`, `mono`, … */
  readonly encoding: string;
  readonly isBigEndian: boolean;
  /** A view on the message. */
  readonly eventsView: Uint8Array;
}

/** Encapsulation kinds of plain CDR, big and little endian. */
const cdrBigEndian = 0;
const cdrLittleEndian = 1;
const encapsulationBytes = 4;

/** Reads CDR values, each aligned to its size from the end of the encapsulation header. */
class CdrReader {
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  #at = encapsulationBytes;

  constructor(view: DataView, isLittleEndian: boolean) {
    this.#view = view;
    this.#isLittleEndian = isLittleEndian;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1, 1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4, 4), this.#isLittleEndian);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8, 8), this.#isLittleEndian);
  }

  /** A sequence of bytes, as a view. */
  bytesView(): Uint8Array {
    const count = this.uint32();
    const at = this.#take(1, count);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, count);
  }

  /** Without the zero at its end. */
  string(): string {
    const bytes = this.bytesView();
    return String.fromCharCode(...bytes.subarray(0, Math.max(bytes.length - 1, 0)));
  }

  #take(alignment: number, bytes: number): number {
    const past = (this.#at - encapsulationBytes) % alignment;
    const at = past === 0 ? this.#at : this.#at + alignment - past;
    if (at + bytes > this.#view.byteLength) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read a ROS EventPacket: ${bytes} bytes must follow byte ${at}, got ${this.#view.byteLength - at}`,
      );
    }
    this.#at = at + bytes;
    return at;
  }
}

/**
 * Parses a CDR-serialized EventPacket.
 *
 * @throws {PolyphaseError} BAD_DATA if it is cut short or of another encapsulation
 */
export function parseRosEventPacket(message: Uint8Array): RosEventPacket {
  const kind = message.length >= encapsulationBytes && message[0] === 0 ? message[1] : undefined;
  if (kind !== cdrBigEndian && kind !== cdrLittleEndian) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read a ROS EventPacket: the encapsulation must be plain CDR, got bytes ${message.subarray(0, 2).join(", ")}`,
    );
  }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const reader = new CdrReader(view, kind === cdrLittleEndian);
  reader.uint32(); // header.stamp.sec
  reader.uint32(); // header.stamp.nanosec
  reader.bytesView(); // header.frame_id
  const height = reader.uint32();
  const width = reader.uint32();
  const seq = reader.uint64();
  const timeBaseNs = reader.uint64();
  const encoding = reader.string();
  const isBigEndian = reader.uint8() !== 0;
  return { width, height, seq, timeBaseNs, encoding, isBigEndian, eventsView: reader.bytesView() };
}
