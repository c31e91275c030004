import { PolyphaseError } from "../../../polyphase-error.ts";
import { latin1 } from "../prophesee/raw-header.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";

/** jAER writes its preferences into the header, so it may be long. */
const headerBytesMax = 4 * 1024 * 1024;
const hash = 0x23;
const newline = 0x0a;

/**
 * Consumes the `#` lines at the front of an AEDAT 2 or 3 file: up to `endLine`, or up to the first
 * line that is no text (binary data may begin with a `#` byte).
 *
 * @param ended true if no more bytes will come
 * @returns the lines, or `undefined` if more bytes are needed to see the header's end
 * @throws {PolyphaseError} BAD_DATA if the header does not end within 4 MiB
 */
export function readHashHeader(
  bytes: ByteQueue,
  endLine: string,
  ended: boolean,
): readonly string[] | undefined {
  const header = bytes.bytes.subarray(bytes.start, bytes.end);
  const lines: string[] = [];
  let at = 0;
  while (header[at] === hash && lines.at(-1) !== endLine) {
    const lineEnd = header.indexOf(newline, at);
    const line = header.subarray(at, lineEnd < 0 ? header.length : lineEnd);
    if (!isText(line)) break;
    if (at + line.length > headerBytesMax) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read the header: it must end within ${headerBytesMax} bytes, got none by byte ${bytes.position + at}`,
      );
    }
    if (lineEnd < 0 && !ended) return undefined;
    lines.push(latin1(line).trimEnd());
    at = lineEnd < 0 ? header.length : lineEnd + 1;
  }
  if (at === header.length && !ended && lines.at(-1) !== endLine) return undefined;
  bytes.consume(at);
  return lines;
}

/** True if a line has no control characters, so that it can be a header line. */
function isText(line: Uint8Array): boolean {
  return line.every((byte) => (byte >= 0x20 ? byte !== 0x7f : byte === 0x09 || byte === 0x0d));
}
