import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { extractZipEntry, readZipEntries, type ZipEntry } from "./zip-archive.ts";

/** What tfjs-node 4.22 looks for to see that it need not download; the addon's API is that old. */
const expectedLibrary = "libtensorflow.so.2.9.1";
const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"] as const;
const headers = [
  "tensorflow/include/tensorflow/c/",
  "tensorflow/include/xla/tsl/c/",
  "tensorflow/include/tsl/",
  "tensorflow/include/tensorflow/core/platform/ctstring",
];
/** A dependency of the package that is staged for. */
const addonBuilder = "@mapbox/node-pre-gyp";
const includePrefix = "tensorflow/include/";

/**
 * Takes TensorFlow's libraries and C headers out of an official wheel (`tensorflow-cpu` or
 * `tensorflow`, 2.16 or later, for Linux) and builds the tfjs addon against them. What was staged
 * before stays until the new files are complete.
 *
 * @param packageDirectory of the installed @tensorflow/tfjs-node-gpu
 * @param onStep told what is being done
 * @throws {PolyphaseError} FILE_NOT_FOUND, BAD_DATA or FAILED
 */
export async function stageTensorflow(
  wheel: string,
  packageDirectory: string,
  onStep: (step: string) => void,
): Promise<void> {
  const entries = chooseEntries(wheel, await readZipEntries(wheel));
  const staged = join(packageDirectory, "deps.partial");
  await rm(staged, { recursive: true, force: true });
  try {
    const megabytes = Math.round(entries.reduce((sum, { size }) => sum + size, 0) / 1e6);
    onStep(`unpacking ${entries.length} files, ${megabytes} MB`);
    for (const entry of entries) await extractZipEntry(wheel, entry, join(staged, place(entry)));
    const lib = join(staged, "lib");
    await mkdir(lib, { recursive: true });
    await symlink(libraries[0], join(lib, "libtensorflow.so"));
    await symlink(libraries[0], join(lib, expectedLibrary));
    await symlink(libraries[1], join(lib, "libtensorflow_framework.so"));
    const target = join(packageDirectory, "deps");
    await rm(target, { recursive: true, force: true });
    await rename(staged, target);
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
  onStep("building the addon");
  await buildAddon(packageDirectory);
}

function chooseEntries(wheel: string, entries: readonly ZipEntry[]): ZipEntry[] {
  const chosen = entries.filter(
    ({ name }) =>
      !name.endsWith("/") &&
      !name.includes("..") &&
      (libraries.some((library) => name === `tensorflow/${library}`) ||
        headers.some((prefix) => name.startsWith(prefix))),
  );
  for (const library of libraries) {
    if (chosen.some(({ name }) => name.endsWith(library))) continue;
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot stage TensorFlow: ${wheel} must be a Linux wheel of tensorflow or tensorflow-cpu, 2.16 or later, with tensorflow/${library}`,
    );
  }
  return chosen;
}

/** Where a file of the wheel goes in the package's `deps`. */
function place({ name }: ZipEntry): string {
  return name.startsWith(includePrefix)
    ? join("include", name.slice(includePrefix.length))
    : join("lib", name.slice("tensorflow/".length));
}

/** `node-pre-gyp install --build-from-source` with the headers of this Node; no network is needed. */
async function buildAddon(packageDirectory: string): Promise<void> {
  const require = createRequire(join(packageDirectory, "package.json"));
  const manifest = require.resolve(`${addonBuilder}/package.json`);
  const tool = join(dirname(manifest), "bin", "node-pre-gyp");
  const prefix = dirname(dirname(process.execPath));
  const gyp = join(prefix, "lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js");
  const env = {
    ...process.env,
    ...(existsSync(join(prefix, "include/node/node.h")) && { npm_config_nodedir: prefix }),
    ...(existsSync(gyp) && { npm_config_node_gyp: gyp }),
  };
  const child = spawn(process.execPath, [tool, "install", "--build-from-source"], {
    cwd: packageDirectory,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (data: Buffer): void => {
    output = (output + data.toString()).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status !== 0) {
    throw new PolyphaseError(
      "FAILED",
      `Cannot build the addon of ${packageDirectory} (python3, make and g++ are needed); node-pre-gyp ended with ${status}:\n${output}`,
    );
  }
}
