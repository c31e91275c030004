import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ensureNpmPackages, run } from "./ensure-dependencies.mjs";

/** Time of the newest change below a folder. */
function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs),
  );
}

ensureNpmPackages();
const built = "dist/cli/main.js";
if (!existsSync(built) || statSync(built).mtimeMs < newest("src")) {
  console.error("building …");
  run("node", ["scripts/build.mjs"], { stdio: ["ignore", 2, 2] });
}
run("node", [built, "demo", ...process.argv.slice(2)]);
