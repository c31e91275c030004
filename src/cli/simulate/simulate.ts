import type { Command } from "commander";
import { registerSimulateSaccades } from "./saccades.ts";

/** `polyphase simulate`: sensor recordings of things that never stood before a sensor. */
export function registerSimulate(program: Command): void {
  const simulate = program.command("simulate").description("simulated sensor recordings");
  registerSimulateSaccades(simulate);
}
