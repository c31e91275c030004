import type { Command } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { type RecoveryReport, recoverLog } from "../../streams/log/recover-log.ts";
import type { Loss } from "../../streams/log/scan/log-entry.ts";
import { grouped } from "../format/numbers.ts";
import { table } from "../format/table.ts";
import { stopSignal } from "../stop-signal.ts";
import { FileProgress } from "./file-progress.ts";
import {
  addLogOutputOptions,
  type LogOutputOptions,
  logWriterOptions,
} from "./log-output-options.ts";
import { refuseSameFile } from "./refuse-same-file.ts";

/** `polyphase recover`: what is whole of a damaged recording. */
export function registerRecover(program: Command): void {
  const command = program
    .command("recover")
    .description("save what is whole of a damaged or cut-off recording, and say what is lost")
    .argument("<recording>", "MCAP file, damaged or not");
  addLogOutputOptions(command)
    .option("--json", "print one object on stdout")
    .addHelpText(
      "after",
      `
A message is saved if its chunk is intact (length, compression and CRC) and its channel is described
anywhere in the file; what has no checksum is not believed next to damage. Schemas, channels,
metadata, attachments and messages keep their bytes; indexes are made anew.

Exit status: 0 if anything was saved, 65 if nothing was.

Examples:
  polyphase recover day1.mcap.partial -o day1.mcap
  polyphase recover broken.mcap -o whole.mcap --json | jq '.losses'`,
    )
    .action(recoverCommand);
}

async function recoverCommand(
  path: string,
  options: LogOutputOptions & { readonly json?: true },
): Promise<void> {
  await refuseSameFile([path], options.out);
  const progress = new FileProgress(`recover ${path}`);
  const report = await recoverLog(path, options.out, {
    ...logWriterOptions(options),
    stop: stopSignal(),
    onProgress: (bytes, ofBytes) => progress.report(bytes, ofBytes),
  });
  progress.end();
  process.stdout.write(
    options.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report),
  );
  if (report.recoveredMessages === 0 && report.losses.length > 0) {
    throw new PolyphaseError("BAD_RECORDING", `Cannot save anything of ${path}: see above`);
  }
}

function reportText({ bytes, recoveredMessages, statedMessages, losses }: RecoveryReport): string {
  const stated = statedMessages === undefined ? "" : ` of ${grouped(statedMessages)}`;
  const lines = [`saved   ${grouped(recoveredMessages)}${stated} messages`];
  if (losses.length === 0) return `${lines[0]}\nlost    nothing\n`;
  const lostBytes = losses.reduce((sum, { from, to }) => sum + to - from, 0);
  lines.push(`lost    ${grouped(lostBytes)} of ${grouped(bytes)} bytes`, "", byReason(losses), "");
  const places = losses.map(({ from, to, reason, messages, detail }) => [
    `${from}–${to}`,
    reason,
    messages === undefined ? "unknown" : grouped(messages),
    detail,
  ]);
  lines.push(table(["bytes", "reason", "messages", "what was found"], places));
  return `${lines.join("\n")}\n`;
}

function byReason(losses: readonly Loss[]): string {
  const rows = [...new Set(losses.map(({ reason }) => reason))].map((reason) => {
    const same = losses.filter((loss) => loss.reason === reason);
    const known = same.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
    const isOpen = same.some(({ messages }) => messages === undefined);
    const bytes = same.reduce((sum, { from, to }) => sum + to - from, 0);
    const open = known === 0 ? "unknown" : `${grouped(known)} or more`;
    return [reason, same.length, grouped(bytes), isOpen ? open : grouped(known)];
  });
  return table(["reason", "places", "bytes", "messages"], rows);
}
