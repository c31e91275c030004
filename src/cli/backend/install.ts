import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { tensorflowPackage, tensorflowPackageVersion } from "../../train/backends/backend-name.ts";
import { stageTensorflow } from "../../train/backends/stage-tensorflow.ts";

interface InstallOptions {
  readonly wheel?: string;
  readonly fromUrl?: string;
  readonly sha256?: string;
  readonly package?: string;
}

/** `polyphase backend install`: TensorFlow's libraries from an official wheel, and the addon. */
export function registerBackendInstall(backend: Command): void {
  backend
    .command("install")
    .description("build the tensorflow backend from an official TensorFlow wheel (Linux)")
    .option("--wheel <file>", "wheel of tensorflow-cpu or tensorflow, 2.16 or later")
    .option("--from-url <url>", "download the wheel from there")
    .option("--sha256 <hex>", "refuse a wheel with another digest")
    .option("--package <dir>", `folder of ${tensorflowPackage} (default: the installed one)`)
    .addHelpText(
      "after",
      `
Needs python3, make, g++ and the package, which is not installed by default:
  npm install ${tensorflowPackage}@${tensorflowPackageVersion} --ignore-scripts
Run on x86-64 with tensorflow-cpu 2.21.0. GPUs (wheel "tensorflow") and arm64: same steps, never tried.

Examples:
  pip download --no-deps tensorflow-cpu==2.21.0
  polyphase backend install --wheel tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl
  polyphase backend ls`,
    )
    .action(installCommand);
}

async function installCommand(options: InstallOptions): Promise<void> {
  if ((options.wheel === undefined) === (options.fromUrl === undefined)) {
    throw new PolyphaseError(
      "USAGE",
      "Cannot install a backend: give --wheel FILE or --from-url URL, one of them",
    );
  }
  const directory = packageDirectory(options.package);
  const say = (step: string): void => console.error(`polyphase: ${step}`);
  const scratch = await mkdtemp(join(tmpdir(), "polyphase-wheel-"));
  try {
    const wheel = options.wheel ?? (await download(options.fromUrl!, scratch, say));
    await requireDigest(wheel, options.sha256);
    await stageTensorflow(wheel, directory, say);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  say(`built in ${directory}; polyphase backend ls tries it`);
}

function packageDirectory(told: string | undefined): string {
  const install = `npm install ${tensorflowPackage}@${tensorflowPackageVersion} --ignore-scripts`;
  if (told !== undefined) {
    if (existsSync(join(told, "binding.gyp"))) return resolve(told);
    throw new PolyphaseError(
      "USAGE",
      `Cannot install a backend: --package must be the folder of ${tensorflowPackage}, got ${told}`,
    );
  }
  try {
    const require = createRequire(import.meta.url);
    return dirname(require.resolve(`${tensorflowPackage}/package.json`));
  } catch (cause) {
    throw new PolyphaseError(
      "FILE_NOT_FOUND",
      `Cannot install a backend: ${tensorflowPackage} is not installed; ${install}`,
      { cause },
    );
  }
}

async function download(
  url: string,
  directory: string,
  say: (step: string) => void,
): Promise<string> {
  say(`downloading ${url}`);
  const path = join(directory, "tensorflow.whl");
  try {
    const response = await fetch(url);
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(path));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError("FAILED", `Cannot download ${url}: ${what}`, { cause });
  }
  return path;
}

async function requireDigest(wheel: string, expected: string | undefined): Promise<void> {
  if (expected === undefined) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(wheel), hash);
  const digest = hash.digest("hex");
  if (digest !== expected.toLowerCase()) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot install a backend: sha256 of ${wheel} must be ${expected}, got ${digest}`,
    );
  }
}
