import type { Command } from "commander";
import { registerBackendInstall } from "./install.ts";
import { registerBackendList } from "./list.ts";

/** `polyphase backend`: what tfjs computes with where training uses it. */
export function registerBackend(program: Command): void {
  const backend = program
    .command("backend")
    .description("what tfjs layers are computed with in training; Phased LSTM layers need none");
  registerBackendList(backend);
  registerBackendInstall(backend);
}
