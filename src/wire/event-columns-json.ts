import { createDvsPacket, type DvsPacket } from "../sensors/dvs/dvs-packet.ts";
import type { DvsEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { parseJsonObject } from "./parse-json-object.ts";
import { schemaNames } from "./schema.ts";
import { encodeSoa1, soa1EventsMax } from "./soa1.ts";
import type { WireChannel } from "./wire-channel.ts";
import { checkTimeUs } from "./wire-time.ts";

const schemaName = schemaNames.eventPacket;
/** Far above any sensor; keeps a typing error from taking memory. */
const pixelsMax = 32_768;

const integers = { type: "array", items: { type: "integer", minimum: 0 } };

/** JSON Schema of {@link encodeEventColumns}'s text. */
export const eventColumnsJsonSchema: string = JSON.stringify({
  title: schemaName,
  description: "Events of an event camera as columns; all columns have the same length",
  type: "object",
  required: ["w", "h", "seq", "t0_us", "dt", "x", "y", "p"],
  properties: {
    sensor: { type: "string" },
    w: { type: "integer", minimum: 1, maximum: pixelsMax },
    h: { type: "integer", minimum: 1, maximum: pixelsMax },
    seq: { type: "integer", minimum: 0 },
    t0_us: { type: "integer", minimum: 0, description: "event time of the first event" },
    dt: { ...integers, description: "microseconds since the event before; first 0" },
    x: integers,
    y: integers,
    p: { ...integers, description: "1 brighter, 0 darker" },
  },
});

/** A packet as JSON that people can read and write; 13 bytes per event, against 6 of `soa1`. */
export function encodeEventColumns(event: DvsEvent): Uint8Array {
  const { packet, sensor, seq, timeUs } = event;
  checkTimeUs("encode", schemaName, "timeUs", timeUs);
  encodeSoa1(packet); // the same rules hold
  const { width: w, height: h, count } = packet;
  const times = packet.timeUs.subarray(0, count);
  const dt = Array.from(times, (t, i) => (i === 0 ? 0 : t - times[i - 1]!));
  const column = (values: Uint16Array | Uint8Array) => [...values.subarray(0, count)];
  const columns = { dt, x: column(packet.x), y: column(packet.y), p: column(packet.on) };
  return new TextEncoder().encode(JSON.stringify({ sensor, w, h, seq, t0_us: timeUs, ...columns }));
}

/** The inverse of {@link encodeEventColumns}. Throws BAD_EVENT that names the field. */
export function decodeEventColumns(bytes: Uint8Array, channel: WireChannel): DvsEvent {
  const fields = parseJsonObject(schemaName, bytes);
  const {
    width = wholeNumber(fields, "w", pixelsMax),
    height = wholeNumber(fields, "h", pixelsMax),
  } = channel;
  if (fields["w"] !== width || fields["h"] !== height || width === 0 || height === 0) {
    throw refuse("w x h", `${width}x${height}, not empty`, `${fields["w"]}x${fields["h"]}`);
  }
  const timeUs = wholeNumber(fields, "t0_us", Number.MAX_SAFE_INTEGER);
  const packet = readColumns(fields, width, height, timeUs);
  const seq = wholeNumber(fields, "seq", Number.MAX_SAFE_INTEGER);
  const { stream, sensor } = channel;
  return { kind: "dvs", stream, sensor, timeUs: packet.timeUs[0]!, seq, packet };
}

type Fields = Readonly<Record<string, unknown>>;

function readColumns(fields: Fields, width: number, height: number, startUs: number): DvsPacket {
  const { dt } = fields;
  if (!Array.isArray(dt) || dt.length === 0 || dt.length > soa1EventsMax) {
    const actual = Array.isArray(dt) ? `${dt.length} numbers` : dt;
    throw refuse("dt", `1 to ${soa1EventsMax} numbers`, actual);
  }
  const count = dt.length;
  const packet = createDvsPacket(width, height, count);
  packet.x.set(readColumn(fields, "x", count, width - 1));
  packet.y.set(readColumn(fields, "y", count, height - 1));
  packet.on.set(readColumn(fields, "p", count, 1));
  const gaps = readColumn(fields, "dt", count, Number.MAX_SAFE_INTEGER);
  let timeUs = startUs;
  for (let i = 0; i < count; i++) {
    timeUs += i === 0 ? 0 : gaps[i]!;
    packet.timeUs[i] = timeUs;
  }
  checkTimeUs("decode", schemaName, "time of the last event", timeUs);
  return packet;
}

function readColumn(fields: Fields, name: string, count: number, max: number): readonly number[] {
  const column = fields[name];
  if (!Array.isArray(column) || column.length !== count) {
    const actual = Array.isArray(column) ? `${column.length} numbers` : column;
    throw refuse(name, `${count} numbers like dt`, actual);
  }
  const bad = column.findIndex((value) => !isWholeNumber(value, max));
  if (bad >= 0) throw refuse(`${name}[${bad}]`, `a whole number from 0 to ${max}`, column[bad]);
  return column;
}

function wholeNumber(fields: Fields, name: string, max: number): number {
  const value = fields[name];
  if (isWholeNumber(value, max)) return value;
  throw refuse(name, `a whole number from 0 to ${max}`, value);
}

function isWholeNumber(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

function refuse(field: string, expected: string, actual: unknown): Error {
  return badEvent("decode", schemaName, field, expected, actual);
}
