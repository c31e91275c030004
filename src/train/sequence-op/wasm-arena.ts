import { decodeBase64 } from "../../sensors/decode-base64.ts";

/** The part of the WebAssembly API that is used here; Node has it, its type package does not. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmApi {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WasmApi };

const pageBytes = 65_536;
const alignmentBytes = 64;

/**
 * Memory for a WebAssembly module that never grows, so that views on it stay valid. The operating
 * system hands out its pages only when they are written.
 */
export class WasmArena {
  readonly memory: WasmMemory;
  #next = alignmentBytes;

  /** @throws {RangeError} if so much memory cannot be had */
  constructor(bytes: number) {
    const pages = Math.ceil((bytes + alignmentBytes) / pageBytes);
    if (pages > 65_536) {
      throw new RangeError(
        `Cannot reserve memory for training: a batch must take at most 4 GiB, got ${bytes} bytes`,
      );
    }
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  }

  float32(length: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.#take(4 * length), length);
  }

  float64(length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.#take(8 * length), length);
  }

  int32(length: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.#take(4 * length), length);
  }

  uint32(length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, this.#take(4 * length), length);
  }

  uint8(length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.#take(length), length);
  }

  hasRoom(bytes: number): boolean {
    return this.#next + bytes <= this.memory.buffer.byteLength;
  }

  #take(bytes: number): number {
    const offset = this.#next;
    this.#next += Math.ceil(bytes / alignmentBytes) * alignmentBytes;
    return offset;
  }
}

/** Exports of a module that imports its memory and nothing else. */
export function instantiateWasm(
  base64: string,
  memory: WasmMemory,
): Readonly<Record<string, unknown>> {
  const module = new WebAssembly.Module(decodeBase64(base64));
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}
