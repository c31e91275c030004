import type { Command } from "commander";
import { registerEventsCat } from "./cat.ts";
import { registerEventsConvert } from "./convert.ts";
import { registerEventsFilter } from "./filter.ts";
import { registerEventsInfo } from "./info.ts";
import { registerEventsRender } from "./render.ts";

/** `polyphase events`: files of event cameras, for people who want only that. */
export function registerEvents(program: Command): void {
  const events = program
    .command("events")
    .description("read, convert, filter and render files of event cameras");
  registerEventsInfo(events);
  registerEventsConvert(events);
  registerEventsFilter(events);
  registerEventsRender(events);
  registerEventsCat(events);
}
