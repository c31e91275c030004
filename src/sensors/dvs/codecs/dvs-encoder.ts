import type { DvsPacket } from "../dvs-packet.ts";

/** Encodes one recording, packet after packet. Does no I/O. */
export interface DvsEncoder {
  /** The bytes a file of this format begins with; empty if there are none. */
  header(): Uint8Array;
  /**
   * The bytes of the next packet. Events must be in order of time across packets.
   *
   * @throws {PolyphaseError} BAD_DATA if the format has no room for an event
   */
  encode(packet: DvsPacket): Uint8Array;
}
