import type * as tfjs from "@tensorflow/tfjs-core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { backendNames } from "./backend-name.ts";
import { chooseBackend } from "./choose-backend.ts";
import { loadBackend } from "./load-backend.ts";
import { type BackendReport, probeBackend } from "./probe-backends.ts";

/**
 * tfjs on the first backend that works, or on the one asked for. Others are not loaded: each may
 * bring a tfjs of its own.
 *
 * @param wanted a name, `auto` or undefined
 * @throws {PolyphaseError} USAGE if there is none, saying why each does not work
 */
export async function takeBackend(wanted: string | undefined): Promise<typeof tfjs> {
  const asked = backendNames.filter((name) => name === wanted);
  const reports: BackendReport[] = [];
  for (const name of asked.length > 0 ? asked : backendNames) {
    const report = await probeBackend(name);
    reports.push(report);
    if (report.usable) break;
  }
  const taken = chooseBackend(reports, wanted);
  if (taken !== undefined) return loadBackend(taken);
  const why = reports.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
  throw new PolyphaseError("USAGE", `Cannot train a CNN: no backend of tfjs works (${why})`);
}
