import type { Command } from "commander";
import { chooseBackend } from "../../train/backends/choose-backend.ts";
import { probeBackends } from "../../train/backends/probe-backends.ts";
import { table } from "../format/table.ts";

/** `polyphase backend ls`: which backend would be taken, and why the others not. */
export function registerBackendList(backend: Command): void {
  backend
    .command("ls")
    .description("try every backend: which would be taken, and why the others not")
    .option("--json", "print a list of objects on stdout")
    .addHelpText(
      "after",
      `
The first that works is taken, in the order shown; POLYPHASE_BACKEND=tensorflow, wasm or cpu takes
that one or fails.

Examples:
  polyphase backend ls
  POLYPHASE_BACKEND=cpu polyphase backend ls --json`,
    )
    .action(async ({ json }: { readonly json?: boolean }) => {
      const reports = await probeBackends();
      const taken = chooseBackend(reports, process.env["POLYPHASE_BACKEND"]);
      const rows = reports.map((report) => ({ ...report, taken: report.name === taken }));
      if (json === true) {
        process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
        return;
      }
      const state = (row: (typeof rows)[number]): string =>
        row.taken ? "taken" : row.usable ? "works" : "no";
      const cells = rows.map((row) => [row.name, state(row), row.detail]);
      process.stdout.write(`${table(["backend", "", ""], cells)}\n`);
    });
}
