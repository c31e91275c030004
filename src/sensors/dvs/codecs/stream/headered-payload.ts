import type { ByteQueue } from "./byte-queue.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import type { PayloadDecoder } from "./payload-decoder.ts";

/**
 * Reads a header and gives the decoder of what follows, or `undefined` if more bytes are needed.
 * Throws if no more will come.
 */
type ReadHeader = (
  bytes: ByteQueue,
  packets: PacketBuilder,
  ended: boolean,
) => PayloadDecoder | undefined;

/** A header, then whatever it announces. */
export class HeaderedPayload implements PayloadDecoder {
  readonly #readHeader: ReadHeader;
  #payload: PayloadDecoder | undefined;

  constructor(readHeader: ReadHeader) {
    this.#readHeader = readHeader;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder, ended: boolean): boolean {
    this.#payload ??= this.#readHeader(bytes, packets, ended);
    return this.#payload === undefined || this.#payload.decode(bytes, packets, ended);
  }
}
