import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import type { EventSink } from "./event-sink.ts";
import type { EventSource } from "./event-source.ts";

/**
 * Reads all events of `source`, changes each packet and writes what is left of it.
 *
 * @param openSink called once the sensor's size is known
 * @param change the packet to write instead; it may be empty
 */
export async function writeEvents(
  source: EventSource,
  openSink: (size: SensorSize) => Promise<EventSink>,
  change: (packet: DvsPacket) => DvsPacket,
): Promise<void> {
  let sink: EventSink | undefined;
  try {
    for await (const packet of source.packets()) {
      const changed = change(packet);
      sink ??= await openSink(changed);
      if (changed.count > 0) await sink.write(changed);
    }
    sink ??= await openSink(source.report.size);
    await sink.close();
  } catch (failure) {
    await sink?.abort();
    throw failure;
  }
}
