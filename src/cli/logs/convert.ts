import type { Command } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { filterLog } from "../../streams/log/filter-log.ts";
import { addInputOptions, type InputOptions, sourceOptions } from "../events/event-options.ts";
import { openRecordingSink } from "../events/event-sink.ts";
import { openEventSource } from "../events/open-event-source.ts";
import { openFile } from "../events/open-file.ts";
import { writeEvents } from "../events/write-events.ts";
import { grouped } from "../format/numbers.ts";
import { stopSignal } from "../stop-signal.ts";
import { FileProgress } from "./file-progress.ts";
import { readItemLines, writeItemLines } from "./item-lines.ts";
import {
  addLogOutputOptions,
  type LogOutputOptions,
  logWriterOptions,
} from "./log-output-options.ts";
import { refuseSameFile } from "./refuse-same-file.ts";

interface ConvertOptions extends LogOutputOptions, InputOptions {
  readonly stream: string;
  readonly sensor: string;
}

type Form = "mcap" | "ndjson" | "events";

/** `polyphase convert`: a recording in another form. */
export function registerConvert(program: Command): void {
  const command = program
    .command("convert")
    .description("write a recording with other chunks, as lines of JSON, or from either of them")
    .argument("<input>", "MCAP file, lines of JSON (.ndjson, .jsonl), or event-camera file");
  addInputOptions(addLogOutputOptions(command))
    .option("--stream <name>", "stream of the events of a camera's file", "events")
    .option("--sensor <name>", "sensor of the events of a camera's file", "dvs")
    .addHelpText(
      "after",
      `
The form to write is told by the end of the name: .mcap, .ndjson or .jsonl; - is lines of JSON on
stdout. Other formats of event cameras are written by \`polyphase events convert\`.

Examples:
  polyphase convert day1.mcap -o day1-lz4.mcap --compression lz4 --chunk-size 512
  polyphase convert day1.mcap -o - | jq -c 'select(.kind == "marker")'
  polyphase convert day1.ndjson -o day1.mcap
  polyphase convert camera.raw -o camera.mcap --stream table --sensor eye`,
    )
    .action(convertCommand);
}

async function convertCommand(input: string, options: ConvertOptions): Promise<void> {
  const from = await formOf(input);
  const to = outputForm(options.out);
  await refuseSameFile([input], options.out);
  const stop = stopSignal();
  const progress = new FileProgress(`convert ${input}`);
  const report = (bytes: number, ofBytes: number): void => progress.report(bytes, ofBytes);
  if (from === "mcap" && to === "mcap") {
    const wanted = (): boolean => true;
    const written = { ...logWriterOptions(options), wanted, by: "log", stop } as const;
    await filterLog(input, options.out, { ...written, onProgress: report });
  } else if (from === "mcap") {
    const left = await writeItemLines(input, options.out, { stop, onProgress: report });
    for (const { topic, schema, messages } of left) {
      const what = `${grouped(messages)} messages of ${topic} (${schema || "no schema"})`;
      console.error(`polyphase: left out ${what}: they have no form in JSON`);
    }
  } else if (from === "ndjson" && to === "mcap") {
    await readItemLines(input, options.out, { ...logWriterOptions(options), stop });
  } else if (from === "events" && to === "mcap") {
    const { stream, sensor } = options;
    const source = await openEventSource(input, sourceOptions(options));
    const sink = { stream, sensor, ...logWriterOptions(options) };
    await writeEvents(source, () => openRecordingSink(options.out, sink), stopping(stop));
  } else {
    throw new PolyphaseError(
      "USAGE",
      `Cannot convert ${input} to ${options.out}: write .mcap first`,
    );
  }
  progress.end();
}

/** Passes packets on as they are until it is told to stop. */
function stopping<Packet>(stop: AbortSignal): (packet: Packet) => Packet {
  return (packet) => {
    if (stop.aborted) throw new PolyphaseError("INTERRUPTED", "Interrupted: nothing was written");
    return packet;
  };
}

/** Told by the first bytes; lines of JSON also by the name. */
async function formOf(path: string): Promise<Form> {
  const file = await openFile(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(5), 0, 5, 0);
    const head = buffer.subarray(0, bytesRead).toString("latin1");
    if (head.startsWith("\x89MCAP")) return "mcap";
    if (/\.(ndjson|jsonl)$/i.test(path) || /^\s*\{/.test(head)) return "ndjson";
    return "events";
  } finally {
    await file.close();
  }
}

function outputForm(path: string): Form {
  if (/\.mcap$/i.test(path)) return "mcap";
  if (path === "-" || /\.(ndjson|jsonl)$/i.test(path)) return "ndjson";
  throw new PolyphaseError(
    "USAGE",
    `Cannot tell the form of ${path}: its name must end in .mcap, .ndjson or .jsonl`,
  );
}
