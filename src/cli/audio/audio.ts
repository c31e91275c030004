import type { Command } from "commander";
import { registerAudioMfcc } from "./mfcc.ts";

/** `polyphase audio`: sound files, for people who want only that. */
export function registerAudio(program: Command): void {
  const audio = program.command("audio").description("features of sound files");
  registerAudioMfcc(audio);
}
