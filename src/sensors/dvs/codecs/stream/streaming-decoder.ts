import type { DvsDecoder, SensorSize } from "../dvs-decoder.ts";
import { ByteQueue } from "./byte-queue.ts";
import { type DecodedDvsPacket, PacketBuilder } from "./packet-builder.ts";
import type { DecoderCounts, PayloadDecoder } from "./payload-decoder.ts";

/** Drives a payload decoder: bytes in, packets out. */
export class StreamingDecoder implements DvsDecoder {
  readonly #bytes = new ByteQueue();
  readonly #packets = new PacketBuilder();
  readonly #payload: PayloadDecoder;
  readonly #counts: DecoderCounts;
  #state: "open" | "ended" | "finished" = "open";

  /** @param counts the counters that `payload` counts into */
  constructor(payload: PayloadDecoder, counts: DecoderCounts, size?: SensorSize) {
    this.#payload = payload;
    this.#counts = counts;
    if (size !== undefined) this.#packets.setSize(size.width, size.height);
  }

  get size(): SensorSize {
    return { width: this.#packets.width, height: this.#packets.height };
  }

  get anomalies(): DecoderCounts["anomalies"] {
    return this.#counts.anomalies;
  }

  get triggers(): number {
    return this.#counts.triggers;
  }

  push(bytes: Uint8Array): void {
    if (this.#state !== "open") {
      throw new TypeError("Cannot push bytes: the decoder must be open, got end() before");
    }
    this.#bytes.push(bytes);
  }

  end(): void {
    if (this.#state === "open") this.#state = "ended";
  }

  next(): DecodedDvsPacket | undefined {
    while (!this.#packets.isReady) {
      if (!this.#payload.decode(this.#bytes, this.#packets)) continue;
      if (this.#packets.isReady) break;
      if (this.#state === "open") return undefined;
      if (this.#state === "ended") {
        this.#payload.finish(this.#bytes, this.#packets);
        this.#bytes.consume(this.#bytes.length);
        this.#state = "finished";
        continue;
      }
      return this.#packets.takeRest();
    }
    return this.#packets.take();
  }
}
