/** What Node has and browsers have not, which decodes twenty times as fast as a loop just begun. */
interface NodeBuffer {
  from(text: string, encoding: "base64"): Uint8Array;
}

/**
 * The bytes of a base64 text, for the WASM modules that ship as text.
 *
 * @param text canonical base64, without white space
 */
export function decodeBase64(text: string): Uint8Array {
  const buffer = (globalThis as { Buffer?: NodeBuffer }).Buffer;
  if (buffer !== undefined) return buffer.from(text, "base64");
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
