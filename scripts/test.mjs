import { ensureDebianPackages, ensureNpmPackages, run } from "./ensure-dependencies.mjs";

ensureNpmPackages();
ensureDebianPackages({ "espeak-ng": "espeak-ng", ffmpeg: "ffmpeg", mosquitto: "mosquitto" });
run("npx", ["--no-install", "vitest", "run", ...process.argv.slice(2)]);
