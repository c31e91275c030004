import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { type BackendName, backendNames } from "./backend-name.ts";
import type { BackendReport } from "./probe-backends.ts";

/**
 * The first usable backend, or the one asked for.
 *
 * @param wanted a name, `auto` or undefined
 * @returns undefined if none works and none was asked for
 * @throws {PolyphaseError} USAGE if the one asked for is none or does not work
 */
export function chooseBackend(
  reports: readonly BackendReport[],
  wanted: string | undefined,
): BackendName | undefined {
  if (wanted === undefined || wanted === "" || wanted === "auto") {
    return reports.find(({ usable }) => usable)?.name;
  }
  const report = reports.find(({ name }) => name === wanted);
  if (report?.usable === true) return report.name;
  const why = report === undefined ? `it must be one of ${backendNames.join(", ")}` : report.detail;
  throw new PolyphaseError("USAGE", `Cannot take backend ${wanted}: ${why}`);
}
