import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { buildWasmModule, wasmModules } from "../../../scripts/build-wasm.mjs";

describe("wasmModuleBase64", () => {
  it.each(wasmModules)(
    "is what $source compiles to",
    async (module) => {
      expect(await readFile(module.target, "utf8")).toBe(await buildWasmModule(module));
    },
    30_000,
  );
});
