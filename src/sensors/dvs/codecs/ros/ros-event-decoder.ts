import type { SensorSize } from "../dvs-decoder.ts";
import { createEvtPayload } from "../prophesee/raw-decoder.ts";
import type { AnomalyCounts } from "../stream/anomalies.ts";
import { ByteQueue } from "../stream/byte-queue.ts";
import { EventClock } from "../stream/event-clock.ts";
import { type DecodedDvsPacket, PacketBuilder } from "../stream/packet-builder.ts";
import { createDecoderCounts, type PayloadDecoder } from "../stream/payload-decoder.ts";
import type { RosEventPacket } from "./event-packet.ts";
import { LibcaerCmpMessage } from "./libcaer-cmp-message.ts";
import { MonoMessage } from "./mono-message.ts";

/** A message under way: gives out events until the packet is full or the message at its end. */
interface MessageDecoder {
  decode(packets: PacketBuilder): boolean;
}

/** EVT words of one message; their state is carried from message to message. */
class EvtMessage implements MessageDecoder {
  readonly #payload: PayloadDecoder;
  readonly #bytes: ByteQueue;

  constructor(payload: PayloadDecoder, bytes: ByteQueue) {
    this.#payload = payload;
    this.#bytes = bytes;
  }

  decode(packets: PacketBuilder): boolean {
    return this.#payload.decode(this.#bytes, packets, false) && !packets.isReady;
  }
}

/**
 * Decodes the EventPackets of one ROS topic: encodings `evt2`, `evt3`, `libcaer_cmp` and `mono`.
 * Packets end with their message. Messages of other encodings are counted as `foreign-packet`.
 */
export class RosEventDecoder {
  readonly #counts = createDecoderCounts();
  readonly #clock = new EventClock(this.#counts.anomalies, Number.POSITIVE_INFINITY);
  readonly #packets = new PacketBuilder();
  readonly #words = new ByteQueue();
  readonly #waiting: RosEventPacket[] = [];
  #evt: PayloadDecoder | undefined;
  #message: MessageDecoder | undefined;

  get anomalies(): Readonly<AnomalyCounts> {
    return this.#counts.anomalies;
  }

  get triggers(): number {
    return this.#counts.triggers;
  }

  get inputPackets(): number {
    return this.#counts.inputPackets;
  }

  /** Of the message decoded last; 0 × 0 before the first. */
  get size(): SensorSize {
    return { width: this.#packets.width, height: this.#packets.height };
  }

  /** Queues a message. Its bytes must not change until `next` has given `undefined`. */
  push(message: RosEventPacket): void {
    this.#waiting.push(message);
  }

  /** The next packet, or `undefined` if that takes another message. */
  next(): DecodedDvsPacket | undefined {
    while (!this.#packets.isReady) {
      this.#message ??= this.#openNext();
      if (this.#message === undefined) return undefined;
      if (!this.#message.decode(this.#packets)) continue;
      this.#message = undefined;
      if (this.#packets.isReady) break;
      const packet = this.#packets.takeRest();
      if (packet !== undefined) return packet;
    }
    return this.#packets.take();
  }

  #openNext(): MessageDecoder | undefined {
    for (let packet = this.#waiting.shift(); packet; packet = this.#waiting.shift()) {
      const message = this.#open(packet);
      if (message !== undefined) {
        this.#counts.inputPackets++;
        this.#packets.setSize(packet.width, packet.height);
        return message;
      }
      this.#counts.anomalies["foreign-packet"]++;
    }
    return undefined;
  }

  #open(packet: RosEventPacket): MessageDecoder | undefined {
    const events = packet.eventsView;
    const isLittleEndian = !packet.isBigEndian;
    const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
    const { anomalies } = this.#counts;
    switch (packet.encoding) {
      case "libcaer_cmp": {
        const baseUs = Number(packet.timeBaseNs / 1000n);
        return new LibcaerCmpMessage(view, isLittleEndian, baseUs, this.#clock, anomalies);
      }
      case "mono":
        return new MonoMessage(view, isLittleEndian, packet.timeBaseNs, this.#clock, anomalies);
      case "evt2":
      case "evt3":
        if (!isLittleEndian) return undefined;
        this.#evt ??= createEvtPayload(packet.encoding, this.#counts);
        this.#words.push(events);
        return new EvtMessage(this.#evt, this.#words);
      default:
        return undefined;
    }
  }
}
