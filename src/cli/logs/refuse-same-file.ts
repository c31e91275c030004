import { stat } from "node:fs/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** Throws USAGE if the output is one of the inputs, by whatever name: it would destroy it. */
export async function refuseSameFile(inputs: readonly string[], output: string): Promise<void> {
  const target = await stat(output).catch(() => undefined);
  if (target === undefined) return;
  for (const input of inputs) {
    const source = await stat(input).catch(() => undefined);
    if (source?.ino === target.ino && source.dev === target.dev) {
      throw new PolyphaseError("USAGE", `Cannot write ${output}: it is the input ${input}`);
    }
  }
}
