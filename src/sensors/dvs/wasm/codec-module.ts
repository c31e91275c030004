import type { DvsColumns } from "../dvs-packet.ts";
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
}

const pageBytes = 65_536;
/** Events that the scratch columns hold, and how many more may be overwritten behind them. */
export const scratchEvents = 16_384;
const slackEvents = 16;
/** Bytes of input that are decoded at once. */
export const scratchInputBytes = 65_536;
const recordWords = 32;
const onesBytes = 256 * 16;
const alignmentBytes = 64;
/** Input and columns, and a page for table, record and alignment. */
const memoryPages =
  Math.ceil((scratchInputBytes + 13 * (scratchEvents + slackEvents)) / pageBytes) + 1;

/**
 * The codecs' inner loops in WebAssembly SIMD, with scratch memory that holds nothing from one call
 * to the next. They take the regular run of a format and stop at the first thing that is not; what
 * that means is decided in TypeScript, in one place.
 */
export interface CodecModule {
  readonly exports: CodecExports;
  /** Bytes to decode. */
  readonly input: Uint8Array;
  /** Events decoded. */
  readonly columns: DvsColumns;
  /**
   * The record that says what to do and where it got to, by 4-byte word. Its first five are the
   * addresses of the columns and of the table of writeOnes().
   */
  readonly record: Int32Array;
}

/** `wasm` where the engine can run it; both give the same packets and counts. */
export type CodecEngine = "wasm" | "typescript";

let shared: CodecModule | undefined;
let isKnown = false;

/** The module, one for each thread; `undefined` if it is not wanted or cannot run here. */
export function codecModule(engine: CodecEngine = "wasm"): CodecModule | undefined {
  if (engine === "typescript") return undefined;
  if (!isKnown) shared = createCodecModule();
  isKnown = true;
  return shared;
}

function createCodecModule(): CodecModule | undefined {
  const api = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly;
  const bytes = Uint8Array.from(atob(wasmModuleBase64), (c) => c.charCodeAt(0));
  if (!api?.validate(bytes)) return undefined;
  const memory = new api.Memory({ initial: memoryPages });
  const { exports } = new api.Instance(new api.Module(bytes), { env: { memory } });
  // Address 0 stays free: nothing is ever there by mistake.
  let next = alignmentBytes;
  const take = (bytes: number): [ArrayBuffer, number] => {
    const at = next;
    next += Math.ceil(bytes / alignmentBytes) * alignmentBytes;
    return [memory.buffer, at];
  };
  const events = scratchEvents + slackEvents;
  const columns = {
    timeUs: new Float64Array(...take(8 * events), events),
    x: new Uint16Array(...take(2 * events), events),
    y: new Uint16Array(...take(2 * events), events),
    on: new Uint8Array(...take(events), events),
  };
  const ones = new Uint8Array(...take(onesBytes), onesBytes);
  const record = new Int32Array(...take(4 * recordWords), recordWords);
  const { timeUs, x, y, on } = columns;
  record.set([timeUs, x, y, on, ones].map((array) => array.byteOffset));
  (exports as CodecExports).writeOnes(ones.byteOffset);
  return {
    exports: exports as CodecExports,
    input: new Uint8Array(...take(scratchInputBytes), scratchInputBytes),
    columns,
    record,
  };
}
