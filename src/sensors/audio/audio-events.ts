import type { AudioEvent } from "../sensor-event.ts";
import type { TimeUs } from "../time.ts";
import { type MfccConvention, mfccSampleRate } from "./mfcc-convention.ts";
import { type AudioSamples, createMfccVector, MfccStream } from "./mfcc-stream.ts";
import { resamplerDelayUs, resampleWhole } from "./resampler.ts";

export interface AudioEventsOptions {
  readonly stream: string;
  readonly sensor: string;
  /** Samples per second of the signal: 16000, or a rate that can be resampled to it. */
  readonly sampleRate: number;
  /** Event time of the first sample. */
  readonly startUs: TimeUs;
  readonly convention?: MfccConvention;
}

/** The MFCC vectors of one whole signal as events, resampled to 16 kHz first where needed. */
export function audioEvents(signal: AudioSamples, options: AudioEventsOptions): AudioEvent[] {
  const { stream, sensor, sampleRate, startUs } = options;
  const resampled = sampleRate !== mfccSampleRate;
  const mfcc = new MfccStream({
    inputDelayUs: resampled ? resamplerDelayUs(sampleRate) : 0,
    ...(options.convention && { convention: options.convention }),
  });
  const vector = createMfccVector();
  const events: AudioEvent[] = [];
  const pull = (): void => {
    while (mfcc.next(vector)) {
      events.push({
        kind: "audio",
        stream,
        sensor,
        timeUs: vector.timeUs,
        seq: events.length,
        convention: mfcc.convention,
        availableUs: vector.availableUs,
        values: Float32Array.from(vector.values),
      });
    }
  };
  mfcc.push(resampled ? resampleWhole(signal, sampleRate) : signal, startUs);
  pull();
  mfcc.flush();
  pull();
  return events;
}
