import { chmodSync, rmSync } from "node:fs";
import { bundle } from "./bundle.mjs";
import { run } from "./ensure-dependencies.mjs";

rmSync("dist", { recursive: true, force: true });
run("npx", ["--no-install", "tsc", "-p", "tsconfig.build.json"]);
await bundle();
chmodSync("dist/cli/main.js", 0o755);
