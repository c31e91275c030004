import { createWriteStream, type WriteStream } from "node:fs";
import { PolyphaseError } from "../sensors/polyphase-error.ts";

/** Opens before anything runs: a replay of an hour must not end in "no such directory". */
export async function openOutput(path: string): Promise<WriteStream> {
  const file = createWriteStream(path);
  await new Promise<void>((resolve, reject) => {
    file.once("open", () => resolve());
    file.once("error", (cause) => {
      reject(new PolyphaseError("FAILED", `Cannot write ${path}: ${cause.message}`, { cause }));
    });
  });
  return file;
}
