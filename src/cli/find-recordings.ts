import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PolyphaseError } from "../sensors/polyphase-error.ts";

/**
 * Recordings named on a command line: files as they are, directories as the .mcap files in them,
 * by name.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND
 */
export async function findRecordings(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const entry = await stat(path).catch((cause: unknown) => {
      throw new PolyphaseError("FILE_NOT_FOUND", `Cannot read recording: ${path} does not exist`, {
        cause,
      });
    });
    if (!entry.isDirectory()) {
      found.push(path);
      continue;
    }
    const names = (await readdir(path)).filter((name) => name.endsWith(".mcap")).sort();
    if (names.length === 0) {
      throw new PolyphaseError("FILE_NOT_FOUND", `Cannot find recordings: no .mcap in ${path}`);
    }
    found.push(...names.map((name) => join(path, name)));
  }
  return found;
}
