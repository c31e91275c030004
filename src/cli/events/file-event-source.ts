import type { FileHandle } from "node:fs/promises";
import type { DvsDecoder } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { DecodedDvsPacket } from "../../sensors/dvs/codecs/stream/packet-builder.ts";
import { PacketMemory } from "../../sensors/dvs/packet-memory.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { DecoderReport, EventSource } from "./event-source.ts";

const chunkBytes = 1024 * 1024;

/** A file that is one stream of events from end to end. */
export class FileEventSource implements EventSource {
  readonly path: string;
  readonly format: string;
  readonly #file: FileHandle;
  readonly #decoder: DvsDecoder;
  readonly #memory = new PacketMemory();

  constructor(path: string, file: FileHandle, format: string, decoder: DvsDecoder) {
    this.path = path;
    this.format = format;
    this.#file = file;
    this.#decoder = decoder;
  }

  get report(): DecoderReport {
    return this.#decoder;
  }

  async *packets(): AsyncGenerator<DecodedDvsPacket, void, void> {
    const chunk = new Uint8Array(chunkBytes);
    try {
      for (let position = 0; ; ) {
        const { bytesRead } = await this.#file.read(chunk, 0, chunkBytes, position);
        position += bytesRead;
        if (bytesRead === 0) this.#decoder.end();
        else this.#decoder.push(chunk.subarray(0, bytesRead));
        yield* this.#drain();
        if (bytesRead === 0) return;
      }
    } finally {
      await this.#file.close();
    }
  }

  *#drain(): Generator<DecodedDvsPacket, void, void> {
    for (;;) {
      const packet = this.#next();
      if (packet === undefined) return;
      yield packet;
    }
  }

  #next(): DecodedDvsPacket | undefined {
    try {
      return this.#decoder.next(this.#memory);
    } catch (error) {
      throw located(this.path, error);
    }
  }
}

function located(path: string, error: unknown): unknown {
  if (!(error instanceof PolyphaseError)) return error;
  return new PolyphaseError(error.code, `Cannot read ${path}: ${error.message}`, { cause: error });
}
