import { afterEach, describe, expect, it, vi } from "vitest";
import { chooseKernel } from "../../../src/cells/kernels/choose-kernel.ts";

afterEach(() => vi.unstubAllGlobals());

describe("chooseKernel()", () => {
  it("takes WASM where it runs", () => {
    expect(chooseKernel("auto").kernel.name).toBe("wasm-f32");
  });

  it.each(["reference-f64", "sparse-f32", "wasm-f32"] as const)("takes %s if asked", (name) => {
    expect(chooseKernel(name)).toMatchObject({ kernel: { name }, reason: "asked for" });
  });

  it("takes sparse-f32 where there is no WebAssembly, and says so", () => {
    vi.stubGlobal("WebAssembly", undefined);
    const { kernel, reason } = chooseKernel("auto");
    expect(kernel.name).toBe("sparse-f32");
    expect(reason).toContain("no WebAssembly");
    expect(() => chooseKernel("wasm-f32")).toThrow("Cannot choose kernel");
  });

  it("takes sparse-f32 where the memory cannot be had, and says why", () => {
    vi.stubGlobal("WebAssembly", {
      validate: () => true,
      Memory: class {
        constructor() {
          throw new RangeError("could not allocate memory");
        }
      },
    });
    const { kernel, reason } = chooseKernel("auto");
    expect(kernel.name).toBe("sparse-f32");
    expect(reason).toContain("could not allocate memory");
  });
});
