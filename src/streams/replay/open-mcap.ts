import { type FileHandle, open } from "node:fs/promises";
import wasmZstd from "@foxglove/wasm-zstd";
import { McapConstants, McapIndexedReader, type McapTypes } from "@mcap/core";
import { decompressLz4Frame } from "../../sensors/dvs/codecs/inivation/lz4-frame.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { FileReadable } from "./file-readable.ts";

/** Uncompressed bytes of one chunk; writers use 1 to 4 MiB. */
const chunkBytesMax = 256 * 1024 * 1024;

/** An indexed MCAP file open for reading. */
export interface McapFile {
  readonly path: string;
  readonly file: FileHandle;
  readonly readable: FileReadable;
  /** Knows the index; messages are read chunk by chunk with `readChunk`. */
  readonly reader: McapIndexedReader;
  readonly decompressHandlers: McapTypes.DecompressHandlers;
}

/**
 * Opens the MCAP file at `path` and reads its index. Throws FILE_NOT_FOUND, or BAD_RECORDING for
 * what is no MCAP, was cut off, or has a damaged or no index.
 */
export async function openMcap(path: string): Promise<McapFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const readable = new FileReadable(file, size);
    await checkMagic(path, readable, size);
    const decompressHandlers = await limitedHandlers();
    const reader = await locating(path, readable, () =>
      McapIndexedReader.Initialize({ readable, decompressHandlers }),
    );
    return { path, file, readable, reader, decompressHandlers };
  } catch (failure) {
    await file.close();
    throw failure;
  }
}

/** Runs `read`; what it throws becomes BAD_RECORDING with the file and byte offset. */
export async function locating<T>(
  path: string,
  readable: FileReadable,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw badRecording(path, `at byte ${readable.lastOffset}: ${(error as Error).message}`, error);
  }
}

/** "Cannot read recording <path>: <reason>". */
export function badRecording(path: string, reason: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_RECORDING", `Cannot read recording ${path}: ${reason}`, { cause });
}

/** Opens a file for reading, or throws FILE_NOT_FOUND. */
export async function openFile(path: string): Promise<FileHandle> {
  return open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "there is no such file" : cause.message;
    const message = `Cannot open recording ${path}: ${reason}`;
    throw new PolyphaseError("FILE_NOT_FOUND", message, { cause });
  });
}

async function checkMagic(path: string, readable: FileReadable, size: number): Promise<void> {
  const magic = McapConstants.MCAP_MAGIC;
  const magicAt = async (offset: number) =>
    Buffer.from(await readable.read(BigInt(offset), BigInt(magic.length))).toString("hex");
  const expected = Buffer.from(magic).toString("hex");
  const head = size < magic.length ? "" : await magicAt(0);
  if (head !== expected) {
    throw badRecording(path, `byte 0 must start an MCAP (${expected}), got ${head || "nothing"}`);
  }
  const tailOffset = Math.max(magic.length, size - magic.length);
  const tail = size < 2 * magic.length ? "" : await magicAt(tailOffset);
  if (tail !== expected) {
    const came = tail || "nothing";
    throw badRecording(
      path,
      `it is truncated: byte ${tailOffset} must close the MCAP (${expected}), got ${came}`,
    );
  }
}

/**
 * The two compressions of MCAP. A corrupt chunk header must not make a decompressor take all memory.
 */
export async function limitedHandlers(): Promise<McapTypes.DecompressHandlers> {
  await wasmZstd.isLoaded;
  return {
    lz4: limited(decompressLz4Frame),
    zstd: limited(unpackZstd),
  };
}

function unpackZstd(bytes: Uint8Array, size: number): Uint8Array {
  const { buffer, byteOffset, length } = wasmZstd.decompress(bytes, size);
  // It is a Buffer, whose slices are views.
  return new Uint8Array(buffer, byteOffset, length);
}

function limited(
  decompress: (bytes: Uint8Array, size: number) => Uint8Array,
): (bytes: Uint8Array, size: bigint) => Uint8Array {
  return (bytes, size) => {
    if (size <= BigInt(chunkBytesMax)) return decompress(bytes, Number(size));
    throw new RangeError(`uncompressed chunk must be at most ${chunkBytesMax} bytes, got ${size}`);
  };
}
