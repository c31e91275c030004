import { once } from "node:events";
import { type Command, Option } from "commander";
import { audioEvents } from "../../sensors/audio/audio-events.ts";
import { mfccConventions } from "../../sensors/audio/mfcc-convention.ts";
import { decodeWav } from "../../sensors/audio/wav.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { AudioEvent } from "../../sensors/sensor-event.ts";
import { createRecording } from "../../streams/record/recording-writer.ts";
import { readSource } from "../import/source-files.ts";

interface MfccOptions {
  readonly out?: string;
  readonly stream: string;
  readonly sensor: string;
  readonly deltas: keyof typeof mfccConventions;
}

/** `polyphase audio mfcc`: the feature vectors of a sound file, as text or as a recording. */
export function registerAudioMfcc(audio: Command): void {
  audio
    .command("mfcc")
    .description("MFCC vectors of a WAV file, as NDJSON or as an MCAP recording")
    .argument(
      "<file>",
      "WAV file (PCM or float; several channels become their mean); time 0 is its first sample",
    )
    .option("-o, --out <file>", "write an MCAP recording instead of NDJSON to stdout")
    .option("--stream <name>", "stream of the recording", "audio")
    .option("--sensor <name>", "sensor of the recording", "audio")
    .addOption(
      new Option("--deltas <frames>", "frames that Δ and ΔΔ are of: around the vector or up to it")
        .choices(Object.keys(mfccConventions))
        .default("centred"),
    )
    .addHelpText(
      "after",
      `
Examples:
  polyphase audio mfcc speech.wav > speech.ndjson
  polyphase audio mfcc speech.wav --deltas causal --out speech.mcap --stream s1 --sensor mic`,
    )
    .action(async (file: string, options: MfccOptions) => {
      const events = mfccEvents(file, await readSource(file), options);
      await (options.out === undefined ? print(events) : record(events, options.out));
    });
}

/** Adds the file's name to what is wrong with it, a sample rate without a resampler included. */
function mfccEvents(file: string, bytes: Uint8Array, options: MfccOptions): AudioEvent[] {
  const { stream, sensor, deltas } = options;
  try {
    const { sampleRate, samples } = decodeWav(bytes);
    const convention = mfccConventions[deltas];
    return audioEvents(samples, { stream, sensor, sampleRate, startUs: 0, convention });
  } catch (error) {
    if (!(error instanceof PolyphaseError || error instanceof RangeError)) throw error;
    throw new PolyphaseError("BAD_DATA", `${file}: ${error.message}`, { cause: error });
  }
}

async function print(events: readonly AudioEvent[]): Promise<void> {
  for (const { timeUs, availableUs, convention, values } of events) {
    const line = JSON.stringify({ timeUs, availableUs, convention, values: [...values] });
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
  }
}

async function record(events: readonly AudioEvent[], path: string): Promise<void> {
  const writer = await createRecording(path);
  try {
    for (const event of events) await writer.write(event, event.availableUs);
    await writer.close();
  } catch (failure) {
    await writer.abort();
    throw failure;
  }
}
