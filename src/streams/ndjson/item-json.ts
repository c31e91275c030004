import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import { isTimeUs, type TimeUs } from "../../sensors/time.ts";
import { decodeEventColumns, encodeEventColumns } from "../../wire/event-columns-json.ts";

/** An item of a recording as a line of JSON, and when it arrived. */
export interface ReceivedItem {
  readonly item: StreamItem;
  readonly receivedUs: TimeUs;
}

/**
 * One line for an item, without the line's end: `kind`, `stream`, `sensor`, `receivedUs` and what the
 * kind has. Events of a camera are columns ({@link encodeEventColumns}); pixels are base64; every
 * number is exact.
 */
export function encodeItemLine({ item, receivedUs }: ReceivedItem): string {
  const { kind, stream } = item;
  const head = { kind, stream, receivedUs };
  if (item.kind === "dvs") {
    const columns = JSON.parse(new TextDecoder().decode(encodeEventColumns(item)));
    return JSON.stringify({ ...head, ...columns });
  }
  if (item.kind === "video") {
    const pixels = Buffer.from(item.pixels).toString("base64");
    return JSON.stringify({ ...item, ...head, pixels });
  }
  if (!("values" in item)) return JSON.stringify({ ...item, ...head });
  const { values, ...rest } = item;
  return `${JSON.stringify({ ...rest, ...head }).slice(0, -1)},"values":[${numbers(values)}]}`;
}

/** Numbers as JSON; unlike `JSON.stringify` it keeps the sign of −0. */
function numbers(values: Float32Array): string {
  return Array.from(values, (value) => (Object.is(value, -0) ? "-0" : String(value))).join(",");
}

/**
 * The inverse of {@link encodeItemLine}; without `receivedUs` an item arrived at its own time.
 *
 * @throws {PolyphaseError} BAD_DATA that names the field
 */
export function decodeItemLine(fields: Readonly<Record<string, unknown>>): ReceivedItem {
  const item = decodeFields(new Fields(fields));
  const receivedUs = fields["receivedUs"] ?? item.timeUs;
  if (typeof receivedUs !== "number" || !isTimeUs(receivedUs) || receivedUs < 0) {
    throw refuse("receivedUs", "a whole number of microseconds >= 0", receivedUs);
  }
  return { item, receivedUs };
}

function decodeFields(fields: Fields): StreamItem {
  const kind = fields.text("kind");
  const stream = fields.text("stream");
  if (kind === "dvs") {
    const bytes = new TextEncoder().encode(JSON.stringify(fields.all));
    return decodeEventColumns(bytes, { stream, sensor: fields.text("sensor") });
  }
  const time = { stream, timeUs: fields.whole("timeUs"), seq: fields.whole("seq") };
  if (kind === "marker") {
    const action = fields.oneOf("action", ["session-start", "segment-start", "segment-end"]);
    return { kind, ...time, action, label: fields.text("label") };
  }
  const header = { ...time, sensor: fields.text("sensor") };
  switch (kind) {
    case "scalar":
      return { kind, ...header, values: fields.vector("values") };
    case "audio":
      return {
        ...{ kind, ...header, convention: fields.text("convention") },
        availableUs: fields.whole("availableUs"),
        values: fields.vector("values"),
      };
    case "video": {
      const [width, height] = [fields.whole("width"), fields.whole("height")];
      const convention = "convention" in fields.all ? fields.text("convention") : undefined;
      return {
        ...{ kind, ...header, ...(convention === undefined ? {} : { convention }) },
        ...{ width, height, pixels: fields.pixels("pixels", width * height) },
      };
    }
    case "status":
      return { kind, ...header, status: fields.oneOf("status", ["idle", "left", "joined"]) };
    default:
      throw refuse("kind", "audio, video, dvs, scalar, marker or status", kind);
  }
}

/** The fields of a line; each is checked when it is asked for. */
class Fields {
  readonly all: Readonly<Record<string, unknown>>;

  constructor(all: Readonly<Record<string, unknown>>) {
    this.all = all;
  }

  text(name: string): string {
    const value = this.all[name];
    if (typeof value === "string") return value;
    throw refuse(name, "a string", value);
  }

  whole(name: string): number {
    const value = this.all[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw refuse(name, "a whole number >= 0", value);
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T {
    const found = known.find((each) => each === this.all[name]);
    if (found !== undefined) return found;
    throw refuse(name, known.join(" | "), this.all[name]);
  }

  vector(name: string): Float32Array {
    const value = this.all[name];
    const isVector = Array.isArray(value) && value.every((each) => typeof each === "number");
    if (isVector) return Float32Array.from(value);
    throw refuse(name, "an array of numbers", value);
  }

  pixels(name: string, length: number): Uint8Array {
    const bytes = new Uint8Array(Buffer.from(this.text(name), "base64"));
    if (bytes.length === length) return bytes;
    throw refuse(name, `${length} bytes in base64`, `${bytes.length} bytes`);
  }
}

function refuse(field: string, expected: string, actual: unknown): PolyphaseError {
  const came = actual === undefined ? "nothing" : JSON.stringify(actual);
  return new PolyphaseError("BAD_DATA", `${field} must be ${expected}, got ${came}`);
}
