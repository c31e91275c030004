import { type Command, Option } from "commander";
import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import type { OutputFormat } from "./event-sink.ts";

/** `sensor`: times as they are; `zero`: the first event is at 0. */
export type TimeOrigin = "sensor" | "zero";

/** Formats whose times count from the beginning of the recording. */
const fromZero: readonly OutputFormat[] = ["nmnist", "es"];

/** Adds `--t0`. */
export function addTimeOriginOption(command: Command): Command {
  return command.addOption(
    new Option("--t0 <origin>", "times: as the sensor's, or zero at the first event")
      .choices(["sensor", "zero"])
      .default(undefined, "sensor; zero for nmnist and es"),
  );
}

/** Shifts the times of a recording's packets to its origin. */
export function createTimeShift(
  origin: TimeOrigin | undefined,
  format: OutputFormat,
): (packet: DvsPacket) => DvsPacket {
  const isFromZero = (origin ?? (fromZero.includes(format) ? "zero" : "sensor")) === "zero";
  let originUs: number | undefined;
  return (packet) => {
    if (!isFromZero || packet.count === 0) return packet;
    originUs ??= packet.timeUs[0]!;
    const shiftUs = originUs;
    const times = packet.timeUs.subarray(0, packet.count);
    return { ...packet, timeUs: times.map((timeUs) => timeUs - shiftUs) };
  };
}
