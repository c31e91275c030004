import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";

/** Events as lines `t,x,y,p`, t in µs. */
export function encodeCsv(packet: DvsPacket): string {
  const { count, timeUs, x, y, on } = packet;
  let text = "";
  for (let i = 0; i < count; i++) text += `${timeUs[i]},${x[i]},${y[i]},${on[i]}\n`;
  return text;
}
