import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { readTestFile } from "./read-test-file.ts";
import { runTestFile, type TestResult } from "./run-test-file.ts";
import { testFileJsonSchema } from "./test-file-schema.ts";

export interface TestCommandOptions {
  readonly filter: string;
  readonly tap?: true;
  readonly schema?: true;
}

/** Runs test files and reports on stdout. Throws FAILED if a test fails. */
export async function testCommand(
  paths: readonly string[],
  options: TestCommandOptions,
): Promise<void> {
  if (options.schema === true) {
    process.stdout.write(`${JSON.stringify(testFileJsonSchema(), undefined, 2)}\n`);
    return;
  }
  const files = await findTestFiles(paths.length === 0 ? ["."] : paths);
  const report = options.tap === true ? new TapReport() : new PlainReport();
  let run = 0;
  let failed = 0;
  for (const path of files) {
    report.file(path);
    for await (const result of runTestFile(await readTestFile(path), options.filter)) {
      run++;
      if (result.failures.length > 0) failed++;
      report.test(result, run);
    }
  }
  if (run === 0) {
    const reason = `no test has ${JSON.stringify(options.filter)} in its name`;
    throw new PolyphaseError("USAGE", `Cannot run tests: ${reason}`);
  }
  report.end(run, failed);
  if (failed > 0) throw new PolyphaseError("FAILED", `${failed} of ${run} tests failed`);
}

/** Files as they are, directories with all `*.test.yaml` below them, in order of name. */
async function findTestFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const entry = await stat(path).catch((cause: unknown) => {
      throw new PolyphaseError("USAGE", `Cannot run tests: ${path} does not exist`, { cause });
    });
    if (!entry.isDirectory()) {
      found.push(path);
      continue;
    }
    const names = await readdir(path, { recursive: true });
    const tests = names.filter((name) => /\.test\.ya?ml$/.test(name)).sort();
    if (tests.length === 0) {
      throw new PolyphaseError("USAGE", `Cannot run tests: no *.test.yaml in ${path}`);
    }
    found.push(...tests.map((name) => join(path, name)));
  }
  return found;
}

class PlainReport {
  file(path: string): void {
    process.stdout.write(`${path}\n`);
  }

  test({ name, failures }: TestResult, _number: number): void {
    process.stdout.write(`  ${failures.length === 0 ? "ok    " : "FAILED"} ${name}\n`);
    for (const { place, lines } of failures) {
      process.stdout.write(`         ${place}\n`);
      for (const line of lines) process.stdout.write(`           ${line}\n`);
    }
  }

  end(run: number, failed: number): void {
    if (failed === 0) process.stdout.write(`${run} tests passed\n`);
  }
}

/** Test Anything Protocol, version 14. */
class TapReport {
  constructor() {
    process.stdout.write("TAP version 14\n");
  }

  file(path: string): void {
    process.stdout.write(`# ${path}\n`);
  }

  test({ name, place, failures }: TestResult, number: number): void {
    const escaped = name.replace(/[\\#]/g, "\\$&");
    process.stdout.write(`${failures.length === 0 ? "ok" : "not ok"} ${number} - ${escaped}\n`);
    if (failures.length === 0) return;
    process.stdout.write(`  ---\n  at: ${JSON.stringify(place)}\n  failures:\n`);
    for (const failure of failures) {
      process.stdout.write(`    - at: ${JSON.stringify(failure.place)}\n      diff: |\n`);
      for (const line of failure.lines) process.stdout.write(`        ${line}\n`);
    }
    process.stdout.write("  ...\n");
  }

  end(run: number, _failed: number): void {
    process.stdout.write(`1..${run}\n`);
  }
}
