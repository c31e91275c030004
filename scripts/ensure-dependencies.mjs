import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

/** Runs a command with inherited output; ends this process if it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs npm packages if there are none, or others than package-lock.json names. */
export function ensureNpmPackages() {
  const installed = "node_modules/.package-lock.json";
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync("package-lock.json").mtimeMs) {
    return;
  }
  console.error("installing npm packages …");
  run("npm", ["ci", "--no-audit", "--no-fund"], { stdio: ["ignore", 2, 2] });
}

/**
 * Installs Debian packages that tests use, where that is possible: as root, with apt. Without them
 * the tests that need them are skipped by name.
 *
 * @param {Readonly<Record<string, string>>} programs program → Debian package
 */
export function ensureDebianPackages(programs) {
  const missing = Object.entries(programs)
    .filter(([program]) => spawnSync("which", [program]).status !== 0)
    .map(([, debianPackage]) => debianPackage);
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && spawnSync("which", ["apt-get"]).status === 0;
  if (!canInstall) {
    console.error(`not installed: ${missing.join(", ")}; tests that need them are skipped`);
    return;
  }
  console.error(`installing ${missing.join(", ")} …`);
  const apt = (args) => {
    return spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status;
  };
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...missing];
  if (apt(install) !== 0 && (apt(["update", "-qq"]) !== 0 || apt(install) !== 0)) {
    console.error(`could not install ${missing.join(", ")}; tests that need them are skipped`);
  }
}
