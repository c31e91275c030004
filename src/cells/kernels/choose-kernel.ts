import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Kernel, KernelName } from "./kernel.ts";
import { createReferenceKernel } from "./reference-kernel.ts";
import { createSparseKernel } from "./sparse-kernel.ts";
import { canRunWasmKernel, createWasmKernel } from "./wasm-kernel.ts";

/** A kernel and why it was taken, for the log. */
export interface KernelChoice {
  readonly kernel: Kernel;
  readonly reason: string;
}

/**
 * The fastest kernel this engine can run, or the one asked for.
 *
 * @throws {PolyphaseError} BAD_CONFIG if the one asked for cannot run here.
 */
export function chooseKernel(wanted: KernelName | "auto"): KernelChoice {
  switch (wanted) {
    case "reference-f64":
      return { kernel: createReferenceKernel(), reason: "asked for" };
    case "sparse-f32":
      return { kernel: createSparseKernel(), reason: "asked for" };
    case "wasm-f32":
      if (canRunWasmKernel()) return { kernel: createWasmKernel(), reason: "asked for" };
      throw new PolyphaseError(
        "BAD_CONFIG",
        "Cannot choose kernel: this engine must have WebAssembly SIMD and threads for wasm-f32",
      );
    case "auto":
      return chooseFastest();
  }
}

function chooseFastest(): KernelChoice {
  if (!canRunWasmKernel()) {
    return { kernel: createSparseKernel(), reason: "no WebAssembly SIMD and threads here" };
  }
  try {
    return { kernel: createWasmKernel(), reason: "WebAssembly SIMD is here" };
  } catch (error) {
    // Some hosts forbid the address space that a growable memory reserves.
    return { kernel: createSparseKernel(), reason: `no WebAssembly memory here: ${String(error)}` };
  }
}
