import type { Command } from "commander";
import type { TestCommandOptions } from "./test-command.ts";

/** `polyphase test`: tests of users' configurations, on a virtual clock. */
export function registerTest(program: Command): void {
  program
    .command("test")
    .description("run *.test.yaml files: what a model makes of given input, on a virtual clock")
    .argument("[path...]", "test files, or directories of them (default: this directory)")
    .option("--filter <text>", "run only tests whose names contain it", "")
    .option("--tap", "print the Test Anything Protocol, for other programs")
    .option("--schema", "print the JSON Schema of test files and run nothing")
    .addHelpText(
      "after",
      `
Exit status: 0 if all tests pass, 1 if one fails, 78 if a file is wrong.

Examples:
  polyphase test deploy/examples/tests
  polyphase test late.test.yaml --filter rewind
  polyphase test --schema > polyphase-test.schema.json`,
    )
    .action(async (paths: readonly string[], options: TestCommandOptions) => {
      // Other commands need neither YAML nor its schema, which take a while to load.
      const { testCommand } = await import("./test-command.ts");
      await testCommand(paths, options);
    });
}
