import { type FileHandle, open } from "node:fs/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** Opens a file, or says that it is not there. */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw cannotOpen(path, error as NodeJS.ErrnoException);
  }
}

function cannotOpen(path: string, cause: NodeJS.ErrnoException): PolyphaseError {
  const reason = cause.code === "ENOENT" ? "there is no such file" : cause.message;
  return new PolyphaseError("FILE_NOT_FOUND", `Cannot open ${path}: ${reason}`, { cause });
}
