import type { PacketMemory } from "../../packet-memory.ts";
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

  get inputPackets(): number {
    return this.#counts.inputPackets;
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

  next(memory?: PacketMemory): DecodedDvsPacket | undefined {
    while (!this.#packets.isReady && this.#state !== "finished") {
      const isHungry = this.#payload.decode(this.#bytes, this.#packets, this.#state === "ended");
      if (!isHungry || this.#packets.isReady) continue;
      if (this.#state === "open") return undefined;
      this.#finish();
    }
    return this.#packets.isReady ? this.#packets.take(memory) : this.#packets.takeRest();
  }

  #finish(): void {
    if (this.#bytes.length > 0) this.#counts.anomalies["truncated-tail"]++;
    this.#bytes.consume(this.#bytes.length);
    this.#state = "finished";
  }
}
