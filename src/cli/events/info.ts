import type { Command } from "commander";
import { grouped, seconds } from "../format/numbers.ts";
import { addInputOptions, type InputOptions, sourceOptions } from "./event-options.ts";
import { openEventSource } from "./open-event-source.ts";
import { type EventsSummary, summarizeEvents } from "./summarize-events.ts";

/** `polyphase events info`: what is in a file of events. */
export function registerEventsInfo(events: Command): void {
  addInputOptions(
    events
      .command("info")
      .description("show format, size, counts, times and oddities of a file of events")
      .argument("<file>", "event-camera file, MCAP or rosbag2 recording"),
  )
    .option("--json", "print one object on stdout; sums are decimal strings, times µs")
    .addHelpText(
      "after",
      `
Examples:
  polyphase events info recording.raw
  polyphase events info gesture.bin --geometry 128x128 --json | jq .anomalies`,
    )
    .action(async (file: string, options: InputOptions & { readonly json?: true }) => {
      const summary = await summarizeEvents(await openEventSource(file, sourceOptions(options)));
      const text = options.json ? JSON.stringify(summary) : summaryText(summary);
      process.stdout.write(`${text}\n`);
    });
}

function summaryText(summary: EventsSummary): string {
  const { firstUs, lastUs } = summary;
  const lines = [
    ["format", summary.format],
    ["size", `${summary.width} × ${summary.height}`],
    ["packets", grouped(summary.packets)],
    [
      "events",
      `${grouped(summary.events)} (${grouped(summary.on)} on, ${grouped(summary.off)} off)`,
    ],
    ["triggers", grouped(summary.triggers)],
  ];
  if (firstUs !== null && lastUs !== null) {
    const spanUs = lastUs - firstUs;
    const rate = spanUs > 0 ? ((summary.events - 1) * 1e6) / spanUs : 0;
    lines.push(
      ["first", `${firstUs} µs`],
      ["last", `${lastUs} µs`],
      ["duration", seconds(spanUs)],
      ["events/s", grouped(rate)],
    );
  }
  for (const [reason, count] of Object.entries(summary.anomalies)) {
    lines.push([reason, grouped(count)]);
  }
  return lines.map(([name, value]) => `${name!.padEnd(20)} ${value}`).join("\n");
}
