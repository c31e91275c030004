import { open, rename, rm } from "node:fs/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** A text file that appears under its name when it is complete, or stdout. */
export interface TextOutput {
  write(text: string): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Opens `path` for writing; `-` is stdout. Throws FAILED. */
export async function openTextOutput(path: string): Promise<TextOutput> {
  if (path === "-") {
    return {
      write: (text) =>
        new Promise((resolve, reject) => {
          process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
        }),
      close: async () => undefined,
      abort: async () => undefined,
    };
  }
  const file = await open(`${path}.partial`, "w").catch((cause: Error) => {
    throw new PolyphaseError("FAILED", `Cannot write ${path}: ${cause.message}`, { cause });
  });
  return {
    write: async (text) => {
      await file.writeFile(text);
    },
    close: async () => {
      await file.close();
      await rename(`${path}.partial`, path);
    },
    abort: async () => {
      await file.close();
      await rm(`${path}.partial`, { force: true });
    },
  };
}
