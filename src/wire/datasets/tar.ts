import { badData } from "./bad-data.ts";

/** A file in an archive. */
export interface TarEntry {
  readonly path: string;
  /** A view on the archive's memory. */
  readonly bytes: Uint8Array;
}

const blockBytes = 512;
const fileTypes = ["0", "\0"];
/** What carries no file: links, devices, folders, and attributes of the entry that follows. */
const otherTypes = ["1", "2", "3", "4", "5", "6", "x", "g"];

/**
 * The files of an uncompressed POSIX tar archive, in order. Throws BAD_DATA with the byte offset for
 * a damaged header, a truncated file and names longer than a plain header holds.
 */
export function* readTar(archive: Uint8Array): Generator<TarEntry, void, void> {
  let offset = 0;
  while (offset + blockBytes <= archive.length) {
    const header = archive.subarray(offset, offset + blockBytes);
    if (header.every((byte) => byte === 0)) return;
    checkSum(header, offset);
    const size = octal(header, 124, 12, offset);
    const start = offset + blockBytes;
    if (start + size > archive.length) {
      throw badData("tar", `file at byte ${offset}`, `${size} bytes`, archive.length - start);
    }
    const type = String.fromCharCode(header[156]!);
    if (fileTypes.includes(type)) {
      yield { path: path(header), bytes: archive.subarray(start, start + size) };
    } else if (!otherTypes.includes(type)) {
      throw badData("tar", `entry type at byte ${offset}`, "a plain file", JSON.stringify(type));
    }
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
}

function path(header: Uint8Array): string {
  const name = text(header, 0, 100);
  // The prefix field is POSIX's; old GNU archives ("ustar  ") keep times in its place.
  const prefix = text(header, 257, 6) === "ustar" ? text(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function text(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Uint8Array, at: number, length: number, offset: number): number {
  const digits = text(header, at, length).trim();
  if (!/^[0-7]+$/.test(digits)) {
    throw badData("tar", `number at byte ${offset + at}`, "octal", JSON.stringify(digits));
  }
  return Number.parseInt(digits, 8);
}

/** The sum of the header's bytes, its own field counted as blanks. */
function checkSum(header: Uint8Array, offset: number): void {
  let sum = 8 * 32;
  for (let i = 0; i < blockBytes; i++) {
    if (i < 148 || i >= 156) sum += header[i]!;
  }
  const stored = octal(header, 148, 8, offset);
  if (sum !== stored) throw badData("tar", `checksum at byte ${offset}`, String(sum), stored);
}
