import { spawn } from "node:child_process";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** As much of what ffmpeg says goes into a message. */
const complaintCharsMax = 300;

export interface DecodeOptions {
  /** What to make of the file: ffmpeg's output options, without the output. */
  readonly output: readonly string[];
  /** Takes the decoded bytes as they come, one piece at a time. What it throws ends the decoding. */
  readonly onBytes: (bytes: Uint8Array) => void | Promise<void>;
  /** Ends ffmpeg. */
  readonly stop: AbortSignal | undefined;
}

/**
 * Decodes one stream of a media file with the program `ffmpeg`, which must be on PATH.
 *
 * @throws PolyphaseError `FAILED` without ffmpeg, `BAD_DATA` for a file it cannot decode to the end,
 *   `INTERRUPTED` when stopped.
 */
export async function decodeWithFfmpeg(path: string, options: DecodeOptions): Promise<void> {
  const { output, onBytes, stop } = options;
  if (stop?.aborted) throw interrupted(path);
  // Damage is an error: without -xerror ffmpeg leaves damaged pictures out and shifts the others.
  const input = ["-v", "error", "-nostdin", "-xerror", "-err_detect", "explode"];
  const program = spawn("ffmpeg", [...input, "-i", `file:${path}`, ...output, "pipe:1"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = (): boolean => program.kill("SIGKILL");
  stop?.addEventListener("abort", end);
  let complaint = "";
  program.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(0, complaintCharsMax);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    program.once("error", reject).once("close", resolve);
  });
  // Awaited below; until then a program that is missing is not an unhandled rejection.
  ended.catch(() => {});
  try {
    for await (const bytes of program.stdout) await onBytes(bytes as Uint8Array);
    const status = await ended;
    if (stop?.aborted) throw interrupted(path);
    if (status !== 0) throw cannotDecode(path, complaint);
  } catch (failure) {
    end();
    throw isMissingProgram(failure) ? noFfmpeg(path, failure) : failure;
  } finally {
    stop?.removeEventListener("abort", end);
  }
}

function isMissingProgram(failure: unknown): boolean {
  return (failure as NodeJS.ErrnoException).code === "ENOENT";
}

function noFfmpeg(path: string, cause: unknown): PolyphaseError {
  const message = `Cannot decode ${path}: ffmpeg must be installed and on PATH (Debian and Ubuntu: apt-get install ffmpeg)`;
  return new PolyphaseError("FAILED", message, { cause });
}

function cannotDecode(path: string, complaint: string): PolyphaseError {
  const reason = complaint.trim().replaceAll(/\s*\n\s*/g, "; ");
  return new PolyphaseError("BAD_DATA", `Cannot decode ${path}: ffmpeg says: ${reason}`);
}

function interrupted(path: string): PolyphaseError {
  return new PolyphaseError("INTERRUPTED", `Decoding of ${path} interrupted`);
}
