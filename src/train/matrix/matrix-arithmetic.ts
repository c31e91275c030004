import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { instantiateWasm, WasmArena } from "../sequence-op/wasm-arena.ts";
import { wasmModuleBase64 } from "./wasm-module.ts";

/** Sizes of a product C [m, n] += A [m, k] · B [k, n]; n is a multiple of 8. */
export interface ProductSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Matrix products on arrays that it hands out itself, since SIMD sees only its own memory. */
export interface MatrixArithmetic {
  /** Zeros. */
  floats(length: number): FloatArray;
  /** C += A · B, all row-major. */
  multiplyAdd(c: FloatArray, a: FloatArray, b: FloatArray, sizes: ProductSizes): void;
  /** C += Aᵀ · B with A stored as [k, m]. */
  multiplyAddTransposed(c: FloatArray, a: FloatArray, b: FloatArray, sizes: ProductSizes): void;
}

/** Columns are padded to this many, so that SIMD has no rest to deal with. */
export function paddedColumns(columns: number): number {
  return Math.ceil(columns / 8) * 8;
}

/** In float64 and TypeScript: what the other is compared with. */
export function referenceArithmetic(): MatrixArithmetic {
  const multiply = (
    [c, a, b]: readonly [FloatArray, FloatArray, FloatArray],
    { m, n, k }: ProductSizes,
    [aRow, aColumn]: readonly [number, number],
  ): void => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < k; j++) {
        const value = a[i * aRow + j * aColumn]!;
        for (let column = 0; column < n; column++) {
          c[i * n + column]! += value * b[j * n + column]!;
        }
      }
    }
  };
  return {
    floats: (length) => new Float64Array(length),
    multiplyAdd: (c, a, b, sizes) => multiply([c, a, b], sizes, [sizes.k, 1]),
    multiplyAddTransposed: (c, a, b, sizes) => multiply([c, a, b], sizes, [1, sizes.m]),
  };
}

/** What assembly/matrix.ts exports; pointers and strides in bytes. */
interface MatrixExports {
  multiplyAdd(
    c: number,
    a: number,
    b: number,
    m: number,
    n: number,
    k: number,
    aRow: number,
    aColumn: number,
  ): void;
}

/**
 * In float32 SIMD.
 *
 * @param floatsMax numbers that will be asked for in all, in at most 64 arrays
 */
export function wasmArithmetic(floatsMax: number): MatrixArithmetic {
  const arena = new WasmArena(4 * floatsMax + 64 * 64);
  const wasm = instantiateWasm(wasmModuleBase64, arena.memory) as unknown as MatrixExports;
  return {
    floats: (length) => arena.float32(length),
    multiplyAdd(c, a, b, { m, n, k }) {
      wasm.multiplyAdd(c.byteOffset, a.byteOffset, b.byteOffset, m, n, k, 4 * k, 4);
    },
    multiplyAddTransposed(c, a, b, { m, n, k }) {
      wasm.multiplyAdd(c.byteOffset, a.byteOffset, b.byteOffset, m, n, k, 4, 4 * m);
    },
  };
}
