import { createRequire } from "node:module";
import type * as tfjs from "@tensorflow/tfjs-core";

/** What tfjs can compute with, best first. */
export type BackendName = "tensorflow" | "wasm" | "cpu";

export const backendNames: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];
export const tensorflowPackage = "@tensorflow/tfjs-node-gpu";
export const tensorflowPackageVersion = "4.22.0";

/** Whether a backend works here, and if not, why and what to do. */
export interface BackendReport {
  readonly name: BackendName;
  readonly usable: boolean;
  readonly detail: string;
}

const packages: Readonly<Record<BackendName, string>> = {
  tensorflow: tensorflowPackage,
  wasm: "@tensorflow/tfjs-backend-wasm",
  cpu: "@tensorflow/tfjs-backend-cpu",
};

/** Multiplies two matrices with every backend that loads. */
export async function probeBackends(): Promise<BackendReport[]> {
  const reports: BackendReport[] = [];
  for (const name of backendNames) {
    try {
      reports.push({ name, usable: true, detail: await tryBackend(name) });
    } catch (error) {
      reports.push({ name, usable: false, detail: whyNot(name, error) });
    }
  }
  return reports;
}

async function tryBackend(name: BackendName): Promise<string> {
  // The packages' ESM entries are for browsers.
  const require = createRequire(import.meta.url);
  if (name === "tensorflow") restoreRemovedUtil(require("node:util"));
  const loaded = require(packages[name]) as typeof tfjs;
  const tf = name === "tensorflow" ? loaded : (require("@tensorflow/tfjs-core") as typeof tfjs);
  // Else tfjs advertises its Node package.
  tf.enableProdMode();
  await tf.setBackend(name);
  await tf.ready();
  const product = tf.tidy(() => tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync());
  if (product.join() !== "3,3,3,3") throw new Error(`it multiplies wrongly: ${product.join()}`);
  return `${packages[name]}, ${describe(name, tf)}`;
}

/** The addon's package calls what Node 23 took out. */
function restoreRemovedUtil(util: Record<string, unknown>): void {
  util["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  util["isArray"] ??= Array.isArray;
}

function describe(name: BackendName, tf: typeof tfjs): string {
  if (name === "wasm") return "one thread";
  if (name === "cpu") return "JavaScript, slow";
  const { binding } = tf.backend() as unknown as {
    readonly binding?: { readonly TF_Version?: string };
  };
  return `TensorFlow ${binding?.TF_Version ?? "of unknown version"}`;
}

function whyNot(name: BackendName, error: unknown): string {
  const code = (error as { code?: unknown }).code;
  const text = error instanceof Error ? error.message.split("\n")[0]! : String(error);
  if (code === "MODULE_NOT_FOUND" && text.includes(packages[name])) {
    const install = `npm install ${packages[name]}@${tensorflowPackageVersion}`;
    return name === "tensorflow"
      ? `not installed: ${install} --ignore-scripts, then polyphase backend install`
      : `not installed: ${install} @tensorflow/tfjs-core@${tensorflowPackageVersion}`;
  }
  if (/addon|tfjs_binding/.test(text)) {
    return "installed without its addon: polyphase backend install builds it";
  }
  return `does not load: ${text}`;
}
