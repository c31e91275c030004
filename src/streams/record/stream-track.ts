import { dvsPacketView } from "../../sensors/dvs/dvs-packet.ts";
import { itemLength } from "../../sensors/item-events.ts";
import type { Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { soa1EventsMax } from "../../wire/soa1.ts";
import { splitDvsPacket } from "../../wire/split-dvs-packet.ts";
import type { EventRange } from "../merge/merged-item.ts";

/** How far one stream has been recorded. */
export class StreamTrack {
  readonly stream: string;
  /** True if anything has been recorded since the last watermark that was. */
  hasNews = false;
  /** Packets under way: what of them has been applied and is not recorded yet. */
  readonly #open = new Map<SensorEvent, EventRange>();
  #reachedUs: TimeUs | undefined;

  constructor(stream: string) {
    this.stream = stream;
  }

  /** All events before it have been applied and no other; undefined before the first. */
  get reachedUs(): TimeUs | undefined {
    return this.#reachedUs;
  }

  advanceTo(timeUs: TimeUs): void {
    if (this.#reachedUs === undefined || timeUs > this.#reachedUs) this.#reachedUs = timeUs;
  }

  /** Takes events that have been applied. @returns what is to be recorded, once the item is over */
  touch(range: EventRange): EventRange | undefined {
    const open = this.#open.get(range.event);
    const whole = open === undefined ? range : { ...open, to: range.to };
    if (range.to < itemLength(range.event)) {
      this.#open.set(range.event, whole);
      return undefined;
    }
    if (open !== undefined) this.#open.delete(range.event);
    return whole;
  }

  /** The events of all packets under way that are not recorded yet. */
  cut(): readonly EventRange[] {
    const ranges = [...this.#open.values()];
    this.#open.clear();
    return ranges;
  }
}

/** Events `from` to `to` of an item as items that can be encoded. */
export function itemsOf(
  event: SensorEvent | Marker,
  from: number,
  to: number,
): readonly (SensorEvent | Marker)[] {
  if (event.kind !== "dvs") return [event];
  const packet = dvsPacketView(event.packet, from, to);
  const limits = { eventsMax: soa1EventsMax, spanUsMax: Number.POSITIVE_INFINITY };
  return [...splitDvsPacket(packet, limits)].map((part) => {
    return { ...event, timeUs: part.timeUs[0]!, packet: part };
  });
}
