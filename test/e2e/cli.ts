import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root: string = fileURLToPath(new URL("../..", import.meta.url));

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `polyphase` that runs beside the test. */
export interface RunningCli {
  readonly ended: Promise<CliResult>;
  /** Resolves when its standard error holds `text`; rejects if it ends before. */
  hasSaid(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Its standard output goes nowhere from now on, as after `| head`. */
  closeStdout(): void;
}

/** Runs the built `polyphase` in a process of its own. */
export function polyphase(...args: readonly string[]): Promise<CliResult> {
  return startPolyphase(...args).ended;
}

/** Starts the built `polyphase` in a process of its own. */
export function startPolyphase(...args: readonly string[]): RunningCli {
  const child = spawn(process.execPath, ["dist/cli/main.js", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString("utf8");
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString("utf8");
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
  const hasSaid = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stderr.includes(text)) resolve();
      };
      child.stderr.on("data", look);
      look();
      ended.then(() => reject(new Error(`ended without saying ${text}: ${stderr}`)), reject);
    });
  return {
    ended,
    hasSaid,
    kill: (signal) => child.kill(signal),
    closeStdout: () => child.stdout.destroy(),
  };
}
