import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import type { Events } from "../kernel/workload.ts";
import type { Peer } from "./peer.ts";

interface Addon {
  createLayer(
    inputs: number,
    units: number,
    inputWeights: Float32Array,
    recurrentWeights: Float32Array,
    bias: Float32Array,
    peepholes: Float32Array,
    shiftUs: Float64Array,
    periodUs: Float64Array,
    openRatio: Float64Array,
  ): object;
  run(
    layer: object,
    h: Float32Array,
    c: Float32Array,
    timesUs: Float64Array,
    inputs: Float32Array,
    count: number,
  ): number;
}

/** What the compiler makes of bench/native: AVX-512 or AVX2 with fused multiply-add. */
export interface NativeLimit {
  create(parameters: LayerParameters): Peer;
}

/** Compiles bench/native with the C compiler of this machine; undefined where there is none. */
export function buildNativeLimit(): NativeLimit | undefined {
  const headers = join(dirname(process.execPath), "../include/node");
  if (!existsSync(join(headers, "node_api.h"))) return undefined;
  const target = join(mkdtempSync(join(tmpdir(), "polyphase-native-")), "phased-lstm.node");
  const source = fileURLToPath(new URL("../native/phased-lstm.c", import.meta.url));
  const options = "-O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math";
  for (const compiler of ["clang", "gcc", "cc"]) {
    try {
      const shared = ["-shared", "-fPIC", "-fvisibility=hidden", "-I", headers];
      execFileSync(compiler, [...options.split(" "), ...shared, source, "-o", target, "-lm"], {
        stdio: "ignore",
      });
    } catch {
      continue;
    }
    const addon = createRequire(import.meta.url)(target) as Addon;
    return { create: (parameters) => nativePeer(addon, parameters) };
  }
  return undefined;
}

function nativePeer(addon: Addon, p: LayerParameters): Peer {
  const float32 = (values: ArrayLike<number>): Float32Array => Float32Array.from(values);
  const float64 = (values: ArrayLike<number>): Float64Array => Float64Array.from(values);
  const layer = addon.createLayer(
    p.inputs,
    p.units,
    float32(p.inputWeights),
    float32(p.recurrentWeights),
    float32(p.bias),
    float32(p.peepholes ?? []),
    float64(p.shiftUs),
    float64(p.periodUs),
    float64(p.openRatio),
  );
  const h = new Float32Array(p.units);
  const c = new Float32Array(p.units);
  return {
    run: ({ timesUs, inputs }: Events, count: number) => {
      addon.run(layer, h, c, timesUs, inputs, count);
    },
    output: () => h,
  };
}
