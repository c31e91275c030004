import type { Command } from "commander";
import { registerModelExport } from "./export.ts";
import { registerModelInfo } from "./info.ts";

/** `polyphase model`: trained models as files. */
export function registerModel(program: Command): void {
  const model = program.command("model").description("what a model is, and its parts as ONNX");
  registerModelInfo(model);
  registerModelExport(model);
}
