const blockBytes = 512;

/** Files of a tar archive (POSIX ustar) by name, as views. */
export function* tarEntries(
  archive: Uint8Array,
): Generator<{ readonly name: string; readonly bytes: Uint8Array }> {
  for (let at = 0; at + blockBytes <= archive.length; ) {
    const name = textField(archive, at, 100);
    if (name === "") return;
    const size = Number.parseInt(textField(archive, at + 124, 12), 8);
    const start = at + blockBytes;
    const type = archive[at + 156]!;
    // "0" or a zero byte: an ordinary file.
    if (type === 0 || type === 0x30) yield { name, bytes: archive.subarray(start, start + size) };
    at = start + Math.ceil(size / blockBytes) * blockBytes;
  }
}

function textField(archive: Uint8Array, at: number, length: number): string {
  return Buffer.from(archive.subarray(at, at + length))
    .toString("latin1")
    .replace(/\0.*$/s, "")
    .trim();
}
