import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { run } from "./ensure-dependencies.mjs";

/** Time of the newest change below a folder. */
function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs),
  );
}

/** Builds dist/ if there is none or a source is newer. */
export function ensureBuild() {
  const built = "dist/cli/main.js";
  if (existsSync(built) && statSync(built).mtimeMs >= newest("src")) return;
  console.error("building …");
  run("node", ["scripts/build.mjs"], { stdio: ["ignore", 2, 2] });
}
