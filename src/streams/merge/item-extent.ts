import type { StreamItem } from "../../sensors/sensor-event.ts";

/** What an item costs in memory beside its arrays: objects, a place in a heap. A round estimate. */
const overheadBytes = 256;

/** Bytes that an item keeps in memory while it waits. */
export function itemBytes(item: StreamItem): number {
  switch (item.kind) {
    case "dvs": {
      const { timeUs, x, y, on } = item.packet;
      return overheadBytes + timeUs.byteLength + x.byteLength + y.byteLength + on.byteLength;
    }
    case "video":
      return overheadBytes + item.pixels.byteLength;
    case "audio":
    case "scalar":
      return overheadBytes + item.values.byteLength;
    case "marker":
    case "status":
      return overheadBytes;
  }
}
