import { decodeBase64 } from "../../decode-base64.ts";
import { wasmModuleBase64 } from "./wasm-module.ts";

/** The part of the WebAssembly JavaScript interface used here; TypeScript has it with the DOM only. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmApi {
  validate(bytes: Uint8Array): boolean;
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: unknown };
}

/** What assembly/dvs/index.ts exports. Addresses are bytes from the start of the memory. */
export interface CodecExports {
  writeOnes(table: number): void;
  evt2(run: number, from: number, end: number): number;
  evt3(run: number, from: number, end: number): number;
  aedat4(run: number, from: number, end: number): number;
  lz4(run: number, end: number, start: number, outEnd: number): void;
  decodeSoa1(
    from: number,
    packet: number,
    count: number,
    width: number,
    height: number,
    firstUs: number,
  ): number;
  encodeSoa1(
    timeUs: number,
    x: number,
    y: number,
    on: number,
    to: number,
    count: number,
    width: number,
    height: number,
  ): number;
  gather(
    timeUs: number,
    x: number,
    y: number,
    on: number,
    indices: number,
    packet: number,
    count: number,
  ): void;
  selectSupported(
    timeUs: number,
    x: number,
    y: number,
    polarity: number,
    count: number,
    off: number,
    on: number,
    stride: number,
    baseUs: number,
    supportUs: number,
    supportMin: number,
    scratch: number,
    kept: number,
    outTimeUs: number,
    outX: number,
    outY: number,
    outOn: number,
  ): number;
  rebaseMap(map: number, count: number, shiftUs: number): void;
  selectNarrow(
    timeUs: number,
    x: number,
    y: number,
    polarity: number,
    count: number,
    map: number,
    stride: number,
    baseUs: number,
    supportUs: number,
    scratch: number,
    kept: number,
    outTimeUs: number,
    outX: number,
    outY: number,
    outOn: number,
  ): number;
  rebaseNarrow(map: number, count: number, shiftUs: number): void;
  widenMap(narrow: number, wide: number, count: number): void;
}

/** The codecs' inner loops and a memory of their own, handed out from the beginning. */
export interface CodecInstance {
  readonly exports: CodecExports;
  /** Address of the next `bytes` bytes, a multiple of 64. */
  take(bytes: number): number;
  readonly buffer: ArrayBuffer;
}

const pageBytes = 65_536;
const alignmentBytes = 64;
/** Reads and writes go by 16 bytes: behind everything taken there are as many to spare. */
const slackBytes = 64;

let compiled: object | undefined;

/**
 * A new instance; `undefined` where the engine cannot run it.
 *
 * @param sizes bytes of each piece that will be taken
 */
export function createCodecInstance(sizes: readonly number[]): CodecInstance | undefined {
  const api = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly;
  if (api === undefined) return undefined;
  if (compiled === undefined) {
    const bytes = decodeBase64(wasmModuleBase64);
    if (!api.validate(bytes)) return undefined;
    compiled = new api.Module(bytes);
  }
  const rounded = (bytes: number): number =>
    Math.ceil((bytes + slackBytes) / alignmentBytes) * alignmentBytes;
  const total = sizes.reduce((sum, bytes) => sum + rounded(bytes), alignmentBytes);
  const memory = new api.Memory({ initial: Math.ceil(total / pageBytes) });
  const { exports } = new api.Instance(compiled, { env: { memory } });
  // Address 0 stays free: nothing is ever there by mistake.
  let next = alignmentBytes;
  return {
    exports: exports as CodecExports,
    buffer: memory.buffer,
    take: (bytes) => {
      const at = next;
      next += rounded(bytes);
      return at;
    },
  };
}
