import type { Command } from "commander";
import { registerEventsInfo } from "./info.ts";

/** `polyphase events`: files of event cameras, for people who want only that. */
export function registerEvents(program: Command): void {
  const events = program
    .command("events")
    .description("read, convert, filter and render files of event cameras");
  registerEventsInfo(events);
}
