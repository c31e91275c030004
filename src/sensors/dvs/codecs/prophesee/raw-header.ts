import { PolyphaseError } from "../../../polyphase-error.ts";
import type { SensorSize } from "../dvs-decoder.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";

/** Word formats of Prophesee cameras. `evt21-legacy` has the halves of each word swapped. */
export type EvtFormat = "evt2" | "evt3" | "evt21" | "evt21-legacy";

/** Fields of a text header of `% key value` lines; keys in lower case. */
export type HeaderFields = ReadonlyMap<string, string>;

const headerBytesMax = 65_536;
const percent = 0x25;
const space = 0x20;
const newline = 0x0a;

/**
 * Consumes the header lines at the front of `bytes`: up to `% end`, or up to the first line that
 * does not begin with "% " (older files have no end line; both bytes are tested since the first
 * data byte may be 0x25).
 *
 * @param ended true if no more bytes will come
 * @returns the fields, or `undefined` if more bytes are needed to see the header's end
 * @throws {PolyphaseError} BAD_DATA if the header does not end within 64 KiB
 */
export function readPercentHeader(bytes: ByteQueue, ended: boolean): HeaderFields | undefined {
  const header = bytes.bytes.subarray(bytes.start, bytes.end);
  const fields = new Map<string, string>();
  let at = 0;
  while (isHeaderLine(header, at)) {
    const lineEnd = header.indexOf(newline, at);
    if (lineEnd < 0 && !ended && header.length <= headerBytesMax) return undefined;
    if (lineEnd < 0 || lineEnd > headerBytesMax) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read the header: a line must end within ${headerBytesMax} bytes, got none from byte ${bytes.position + at}`,
      );
    }
    const line = latin1(header.subarray(at + 2, lineEnd)).trim();
    at = lineEnd + 1;
    if (line === "end") {
      bytes.consume(at);
      return fields;
    }
    const gap = line.search(/\s/);
    if (gap > 0) fields.set(line.slice(0, gap).toLowerCase(), line.slice(gap + 1).trim());
  }
  if (header.length - at < 2 && !ended) return undefined;
  bytes.consume(at);
  return fields;
}

function isHeaderLine(header: Uint8Array, at: number): boolean {
  return header[at] === percent && header[at + 1] === space;
}

/** Bytes as characters of the same number. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** What a RAW header says about the words that follow. */
export interface RawHeader {
  readonly format: EvtFormat | undefined;
  readonly size: SensorSize | undefined;
}

const vga: SensorSize = { width: 640, height: 480 };
const hd: SensorSize = { width: 1280, height: 720 };
const genx320: SensorSize = { width: 320, height: 320 };

/*
 * `system_ID` of Prophesee cameras (openeb 5.1.1, system_id.h and psee_raw_file_header.cpp): what
 * older headers say instead of a format and a size.
 */
const systems = new Map<number, { readonly format: EvtFormat; readonly size: SensorSize }>([
  ...[0x15, 0x17, 0x19, 0x1c, 0x1d, 0x21, 0x22, 0x23, 0x29].map(
    (id) => [id, { format: "evt2", size: vga }] as const,
  ),
  ...[0x1a, 0x1f, 0x27].map((id) => [id, { format: "evt2", size: hd }] as const),
  [0x28, { format: "evt3", size: vga }],
  ...[0x1e, 0x2e, 0x30, 0x31, 0x32, 0x34, 0x35, 0x36, 0x3a].map(
    (id) => [id, { format: "evt3", size: hd }] as const,
  ),
  ...[0x3b, 0x40].map((id) => [id, { format: "evt3", size: genx320 }] as const),
]);
/** From this `system_ID` on, EVT 2.1 words are little-endian unless the header says otherwise. */
const firstLittleEndianSystem = 0x37;

/**
 * Interprets the fields of a RAW header, in order of trust: `format`, then `evt`, then `system_ID`.
 * Sizes come from `format`, then `geometry`, then `system_ID`.
 */
export function parseRawHeader(fields: HeaderFields): RawHeader {
  const [name, ...optionTexts] = (fields.get("format") ?? "").split(";");
  const options = new Map(
    optionTexts.map((text) => text.split("=", 2) as [string, string | undefined]),
  );
  const systemId = Number(fields.get("system_id") ?? Number.NaN);
  const system = systems.get(systemId);
  const kind = evtKind(name ?? "") ?? evtKind(`evt${fields.get("evt") ?? ""}`) ?? system?.format;
  const geometry = /^(\d+)x(\d+)$/.exec(fields.get("geometry") ?? "");
  return {
    format: kind === "evt21" ? evt21Order(options, fields, systemId) : kind,
    size:
      sizeOf(options.get("width"), options.get("height")) ??
      sizeOf(geometry?.[1], geometry?.[2]) ??
      system?.size,
  };
}

function evtKind(name: string): EvtFormat | undefined {
  switch (name.toLowerCase()) {
    case "evt2":
    case "evt2.0":
      return "evt2";
    case "evt3":
    case "evt3.0":
      return "evt3";
    case "evt21":
    case "evt2.1":
      return "evt21";
    default:
      return undefined;
  }
}

function evt21Order(
  options: ReadonlyMap<string, string | undefined>,
  fields: HeaderFields,
  systemId: number,
): EvtFormat {
  const order = options.get("endianness") ?? fields.get("endianness");
  if (order !== undefined) return order === "legacy" ? "evt21-legacy" : "evt21";
  const isProphesee = [fields.get("integrator_name"), fields.get("camera_integrator_name")].every(
    (integrator) => integrator === undefined || integrator === "Prophesee",
  );
  return isProphesee && systemId > 0 && systemId < firstLittleEndianSystem
    ? "evt21-legacy"
    : "evt21";
}

/** Largest width and height a header may claim; event addresses are 16-bit. */
const sizeMax = 65_535;

/** A size from two header texts; `undefined` unless both are whole numbers a sensor can have. */
export function sizeOf(
  width: string | undefined,
  height: string | undefined,
): SensorSize | undefined {
  const size = { width: Number(width), height: Number(height) };
  const isSize = (n: number): boolean => Number.isInteger(n) && n > 0 && n <= sizeMax;
  return isSize(size.width) && isSize(size.height) ? size : undefined;
}
