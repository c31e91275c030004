import { ensureBuild } from "./ensure-build.mjs";
import { ensureNpmPackages, run } from "./ensure-dependencies.mjs";

ensureNpmPackages();
ensureBuild();
run("node", ["dist/cli/main.js", "demo", ...process.argv.slice(2)]);
