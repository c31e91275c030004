import { type Command, InvalidArgumentError } from "commander";
import { dvsPacketView } from "../../sensors/dvs/dvs-packet.ts";
import { addInputOptions, type InputOptions, sourceOptions } from "./event-options.ts";
import { openEventSink } from "./event-sink.ts";
import { openEventSource } from "./open-event-source.ts";

interface CatOptions extends InputOptions {
  readonly limit?: number;
}

/** `polyphase events cat`: events as text. */
export function registerEventsCat(events: Command): void {
  addInputOptions(
    events
      .command("cat")
      .description("print events as CSV: t in µs, x, y, p")
      .argument("<file>", "event-camera file, MCAP or rosbag2 recording"),
  )
    .option("-n, --limit <n>", "print at most n events (default: all)", parseCount)
    .addHelpText("after", "\nExample:\n  polyphase events cat recording.raw -n 10")
    .action(async (file: string, options: CatOptions) => {
      const source = await openEventSource(file, sourceOptions(options));
      const sink = await openEventSink("-", "csv", source.report.size);
      let left = options.limit ?? Number.POSITIVE_INFINITY;
      for await (const packet of source.packets()) {
        const shown = Math.min(packet.count, left);
        await sink.write(dvsPacketView(packet, 0, shown));
        left -= shown;
        if (left === 0) break;
      }
      await sink.close();
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("must be from 1");
  return count;
}
