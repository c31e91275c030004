import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { compileKernel, moduleText } from "../../../scripts/build-wasm.mjs";

it("wasmModuleBase64 is what assembly/ compiles to", { timeout: 60_000 }, async () => {
  const committed = new URL("../../../src/cells/kernels/wasm-module.ts", import.meta.url);
  expect(await readFile(committed, "utf8")).toBe(moduleText(await compileKernel()));
});
