import { type PlacedConfig, readConfigFile } from "../read-config-file.ts";
import type { TestFile } from "./test-file.ts";
import { testFileSchema } from "./test-file-schema.ts";

/** A validated test file that knows where in it everything stands. */
export interface PlacedTestFile extends Pick<PlacedConfig<TestFile>, "path" | "place"> {
  readonly file: TestFile;
}

/**
 * Reads and validates a `*.test.yaml` file.
 *
 * @throws {PolyphaseError} BAD_CONFIG that lists everything wrong with file, line and column
 */
export async function readTestFile(path: string): Promise<PlacedTestFile> {
  const { value, place } = await readConfigFile(path, testFileSchema);
  return { path, file: value, place };
}
