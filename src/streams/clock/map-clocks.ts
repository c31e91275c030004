import { map, type OperatorFunction } from "rxjs";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { EventCounts } from "../../telemetry/event-counts.ts";
import type { Delivery } from "../source.ts";
import type { ClockMap } from "./clock-map.ts";
import { type ClockMode, ClockModel } from "./clock-model.ts";

export interface ClockOptions {
  /** What is believed of a sensor's clock, asked for at its first event. */
  readonly mode: (stream: string, sensor: string) => ClockMode;
  /** Hears of every new map before it is used; for recorders. */
  readonly onMap?: (stream: string, sensor: string, map: ClockMap) => void;
}

/**
 * Gives every event its time on the receiver's clock, by a model of its sensor's. Events without a
 * receive time, markers and statuses pass as they are, as does everything of a trusted clock.
 */
export function mapClocks(
  options: ClockOptions,
  counts: EventCounts,
): OperatorFunction<Delivery, Delivery> {
  // A model per sensor of a stream; undefined for trusted ones.
  const models = new Map<string, ClockModel | undefined>();
  const modelOf = ({ stream, sensor }: SensorEvent): ClockModel | undefined => {
    const key = JSON.stringify([stream, sensor]);
    if (!models.has(key)) {
      const mode = options.mode(stream, sensor);
      const onMap = (clockMap: ClockMap): void => options.onMap?.(stream, sensor, clockMap);
      models.set(key, mode === "trusted" ? undefined : new ClockModel(mode, onMap));
    }
    return models.get(key);
  };
  return map((delivery) => {
    const { item, receivedUs } = delivery;
    if (item.kind === "marker" || item.kind === "status" || receivedUs === undefined) {
      return delivery;
    }
    const model = modelOf(item);
    if (model === undefined) return delivery;
    const steps = model.steps;
    model.observe(sentUs(item), receivedUs);
    counts.note("clock-step", model.steps - steps);
    return { ...delivery, item: mapped(item, model) };
  });
}

/** The earliest sensor time at which the item can have been sent. */
function sentUs(event: SensorEvent): TimeUs {
  if (event.kind === "audio") return event.availableUs;
  return event.kind === "dvs" ? event.packet.timeUs[event.packet.count - 1]! : event.timeUs;
}

function mapped(event: SensorEvent, model: ClockModel): SensorEvent {
  const timeUs = model.toEventTime(event.timeUs);
  if (event.kind === "audio") {
    return { ...event, timeUs, availableUs: model.toEventTime(event.availableUs) };
  }
  if (event.kind !== "dvs") return { ...event, timeUs };
  const times = event.packet.timeUs.map((sensorUs) => model.toEventTime(sensorUs));
  return { ...event, timeUs, packet: { ...event.packet, timeUs: times } };
}
