/** What tfjs can compute with, best first. */
export type BackendName = "tensorflow" | "wasm" | "cpu";

export const backendNames: readonly BackendName[] = ["tensorflow", "wasm", "cpu"];
export const tensorflowPackage = "@tensorflow/tfjs-node-gpu";
export const tensorflowPackageVersion = "4.22.0";

export const backendPackages: Readonly<Record<BackendName, string>> = {
  tensorflow: tensorflowPackage,
  wasm: "@tensorflow/tfjs-backend-wasm",
  cpu: "@tensorflow/tfjs-backend-cpu",
};
