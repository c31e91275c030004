import type { DvsColumns } from "../dvs-packet.ts";
import type { CodecExports, CodecInstance } from "./codec-instance.ts";
import { scratchInputBytes } from "./codec-module.ts";

/** The memory of an instance that gives out packets as they lie there, to be encoded in place. */
export interface PacketHome {
  readonly exports: CodecExports;
  /** Room for `scratchInputBytes` encoded bytes and for writing by 16. */
  readonly output: Uint8Array<ArrayBuffer>;
}

/** Bytes that {@link addPacketHome} takes. */
export const packetHomeBytes: number = scratchInputBytes;

const homes = new WeakMap<ArrayBufferLike, PacketHome>();

/** Packets in the memory of `instance` need not be copied to be encoded. */
export function addPacketHome({ exports, buffer, take }: CodecInstance): void {
  const output = new Uint8Array(buffer, take(packetHomeBytes), packetHomeBytes);
  homes.set(buffer, { exports, output });
}

/** The instance in whose memory all columns lie, if there is one. */
export function packetHome({ timeUs, x, y, on }: DvsColumns): PacketHome | undefined {
  const { buffer } = timeUs;
  const isOne = x.buffer === buffer && y.buffer === buffer && on.buffer === buffer;
  return isOne ? homes.get(buffer) : undefined;
}
