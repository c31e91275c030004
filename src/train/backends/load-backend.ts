import { createRequire } from "node:module";
import type * as tfjs from "@tensorflow/tfjs-core";
import { registerConv2dBackpropFilter } from "../tfjs/conv2d-backprop-filter.ts";
import { replaceMaxPoolGrad } from "../tfjs/max-pool-grad.ts";
import { type BackendName, backendPackages } from "./backend-name.ts";

/**
 * Loads a backend of tfjs, makes it the current one and gives it what it lacks.
 *
 * @returns tfjs, of which there must be one copy only
 */
export async function loadBackend(name: BackendName): Promise<typeof tfjs> {
  // The packages' ESM entries are for browsers.
  const require = createRequire(import.meta.url);
  if (name === "tensorflow") restoreRemovedUtil(require("node:util"));
  const loaded = require(backendPackages[name]) as typeof tfjs;
  const tf = name === "tensorflow" ? loaded : (require("@tensorflow/tfjs-core") as typeof tfjs);
  // Else tfjs advertises its Node package.
  tf.enableProdMode();
  if (name === "wasm") {
    registerConv2dBackpropFilter(tf);
    replaceMaxPoolGrad(tf);
  }
  await tf.setBackend(name);
  await tf.ready();
  return tf;
}

/** The addon's package calls what Node 23 took out. */
function restoreRemovedUtil(util: Record<string, unknown>): void {
  util["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  util["isArray"] ??= Array.isArray;
}
