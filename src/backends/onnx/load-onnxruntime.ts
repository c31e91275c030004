import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/**
 * onnxruntime, which is an optional package: it may not be installed, or have no binary for this
 * machine.
 *
 * @throws {PolyphaseError} BACKEND_UNAVAILABLE if it cannot be loaded
 */
export async function loadOnnxruntime(): Promise<typeof import("onnxruntime-node")> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    const what = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new PolyphaseError(
      "BACKEND_UNAVAILABLE",
      `Cannot load onnxruntime: ${what}. To install it: npm install onnxruntime-node --onnxruntime-node-install=skip`,
      { cause },
    );
  }
}
