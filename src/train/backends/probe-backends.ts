import type * as tfjs from "@tensorflow/tfjs-core";
import {
  type BackendName,
  backendNames,
  backendPackages,
  tensorflowPackageVersion,
} from "./backend-name.ts";
import { loadBackend } from "./load-backend.ts";

/** Whether a backend works here, and if not, why and what to do. */
export interface BackendReport {
  readonly name: BackendName;
  readonly usable: boolean;
  readonly detail: string;
}

/** Multiplies two matrices with every backend that loads. */
export async function probeBackends(): Promise<BackendReport[]> {
  const reports: BackendReport[] = [];
  for (const name of backendNames) reports.push(await probeBackend(name));
  return reports;
}

/** Multiplies two matrices with a backend if it loads. */
export async function probeBackend(name: BackendName): Promise<BackendReport> {
  try {
    return { name, usable: true, detail: await tryBackend(name) };
  } catch (error) {
    return { name, usable: false, detail: whyNot(name, error) };
  }
}

async function tryBackend(name: BackendName): Promise<string> {
  const tf = await loadBackend(name);
  const product = tf.tidy(() => tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync());
  if (product.join() !== "3,3,3,3") throw new Error(`it multiplies wrongly: ${product.join()}`);
  return `${backendPackages[name]}, ${describe(name, tf)}`;
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
  if (code === "MODULE_NOT_FOUND" && text.includes(backendPackages[name])) {
    const install = `npm install ${backendPackages[name]}@${tensorflowPackageVersion}`;
    return name === "tensorflow"
      ? `not installed: ${install} --ignore-scripts, then polyphase backend install`
      : `not installed: ${install} @tensorflow/tfjs-core@${tensorflowPackageVersion}`;
  }
  if (/addon|tfjs_binding/.test(text)) {
    return "installed without its addon: polyphase backend install builds it";
  }
  return `does not load: ${text}`;
}
