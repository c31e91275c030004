import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { roundUp } from "./packed-layer.ts";
import { type WasmMemoryHandle, webAssemblyApi } from "./web-assembly.ts";

const PAGE_BYTES = 65_536;
const SYSTEM_PAGE_BYTES = 4096;
/** Just under 4 GiB, what a 32-bit address reaches. Reserved, not used, until it is allocated. */
const PAGES_MAX = 65_535;
/** The first block holds the allocator's own word. */
const FIRST_FREE = 1024;
/** Every block starts on its own pair of cache lines: threads do not disturb each other. */
const BLOCK_BYTES = 128;

/**
 * Memory shared by the WASM kernel and its callers, and by worker threads. Blocks are handed out
 * one after the other; one that was given back serves the next request for the same size. It is a shared memory because
 * such a one can grow without taking away the views that others hold.
 */
export class WasmMemory {
  readonly handle: WasmMemoryHandle;
  readonly #next: Int32Array;
  /** Addresses of blocks given back to this thread, by size. */
  readonly #free = new Map<number, Set<number>>();

  /** @param handle the memory of another thread; a new one if absent */
  constructor(handle?: WasmMemoryHandle) {
    this.handle = handle ?? createMemory();
    this.#next = new Int32Array(this.handle.buffer, 0, 1);
    Atomics.compareExchange(this.#next, 0, 0, FIRST_FREE);
  }

  /**
   * Address of `bytes` zero bytes.
   *
   * @throws {PolyphaseError} FAILED if the memory is full.
   */
  reserve(bytes: number): number {
    const size = blockSize(bytes);
    const free = this.#free.get(size);
    const used = free?.values().next().value;
    if (used !== undefined) {
      free?.delete(used);
      new Uint8Array(this.handle.buffer, used, size).fill(0);
      return used;
    }
    for (;;) {
      const address = Atomics.load(this.#next, 0) >>> 0;
      const end = address + size;
      this.#growTo(end);
      // Another thread may have been quicker.
      if (Atomics.compareExchange(this.#next, 0, address | 0, end | 0) === (address | 0)) {
        this.#touch(address, end);
        return address;
      }
    }
  }

  /** Has the system give the pages of a block now, and not when an event first writes to them. */
  #touch(address: number, end: number): void {
    const bytes = new Uint8Array(this.handle.buffer, address, end - address);
    for (let at = 0; at < bytes.length; at += SYSTEM_PAGE_BYTES) bytes[at] = 0;
  }

  /** Takes back a block of `reserve`, by address and the bytes asked for. */
  release(address: number, bytes: number): void {
    const size = blockSize(bytes);
    const free = this.#free.get(size) ?? new Set();
    if (free.has(address)) {
      throw new RangeError(`Cannot release kernel memory: ${address} must be in use, got it twice`);
    }
    free.add(address);
    this.#free.set(size, free);
  }

  #growTo(end: number): void {
    const missing = end - this.handle.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.handle.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (error) {
      throw outOfMemory(end, error);
    }
  }

  float32(length: number, address: number = this.reserve(4 * length)): Float32Array {
    return new Float32Array(this.handle.buffer, address, length);
  }

  float64(length: number, address: number = this.reserve(8 * length)): Float64Array {
    return new Float64Array(this.handle.buffer, address, length);
  }

  int32(length: number, address: number = this.reserve(4 * length)): Int32Array {
    return new Int32Array(this.handle.buffer, address, length);
  }
}

function blockSize(bytes: number): number {
  return roundUp(Math.max(bytes, 1), BLOCK_BYTES);
}

function createMemory(): WasmMemoryHandle {
  const api = webAssemblyApi();
  if (api === undefined) throw new TypeError("Cannot create kernel memory: no WebAssembly here");
  return new api.Memory({ initial: 1, maximum: PAGES_MAX, shared: true });
}

function outOfMemory(end: number, cause: unknown): PolyphaseError {
  return new PolyphaseError(
    "FAILED",
    `Cannot grow kernel memory: its size must be < ${PAGES_MAX * PAGE_BYTES} bytes and free, got ${end}`,
    { cause },
  );
}
