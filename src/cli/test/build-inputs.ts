import { dirname, resolve } from "node:path";
import type { GraphSpec, SensorSpec } from "../../fusion/spec/graph-spec.ts";
import { createDvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { Random } from "../../sensors/random.ts";
import type { SensorEvent, StreamItem } from "../../sensors/sensor-event.ts";
import { openRecording } from "../../streams/replay/recording-reader.ts";
import type { ScenarioInput } from "../../streams/scenario/run-scenario.ts";
import type { PlacedTestFile } from "./read-test-file.ts";
import type { TestInput, TestWave } from "./test-file.ts";

/** A sensor's name, when its item is and its number. */
interface Header {
  readonly stream: string;
  readonly sensor: string;
  readonly timeUs: number;
  readonly seq: number;
}

/**
 * What arrives in a test, in order of arrival; what arrives at one moment does so in the order of the
 * file.
 *
 * @throws {PolyphaseError} BAD_CONFIG with the place for an input that its sensor cannot have sent
 */
export async function buildInputs(
  placed: PlacedTestFile,
  testIndex: number,
  spec: GraphSpec,
): Promise<readonly ScenarioInput[]> {
  const { file, path } = placed;
  const builder = new InputBuilder(file.stream, spec);
  for (const [i, input] of file.tests[testIndex]!.input.entries()) {
    try {
      if ("recording" in input) {
        await builder.addRecording(resolve(dirname(path), input.recording), input.at);
      } else builder.add(input);
    } catch (error) {
      if (!(error instanceof PolyphaseError)) throw error;
      const where = placed.place(["tests", testIndex, "input", i]);
      throw new PolyphaseError("BAD_CONFIG", `${where}: ${error.message}`, { cause: error });
    }
  }
  return builder.inputs.sort((a, b) => a.atUs - b.atUs);
}

class InputBuilder {
  readonly inputs: ScenarioInput[] = [];
  readonly #stream: string;
  readonly #spec: GraphSpec;
  readonly #nextSeq = new Map<string, number>();

  constructor(stream: string, spec: GraphSpec) {
    this.#stream = stream;
    this.#spec = spec;
  }

  add(input: Exclude<TestInput, { readonly recording: string }>): void {
    const { at: atUs, time: timeUs = atUs } = input;
    const stream = this.#stream;
    if ("marker" in input) {
      const seq = this.#seq("markers", input.seq);
      const { marker: action, label } = input;
      this.inputs.push({ atUs, item: { kind: "marker", stream, timeUs, seq, action, label } });
      return;
    }
    const { sensor } = input;
    if ("generate" in input) {
      this.#generate(sensor, input.generate, atUs, timeUs, input.seq);
      return;
    }
    if ("status" in input) {
      const seq = this.#seq(`${sensor} status`, input.seq);
      const { status } = input;
      this.inputs.push({ atUs, item: { kind: "status", stream, sensor, timeUs, seq, status } });
      return;
    }
    const header = { stream, sensor, timeUs, seq: this.#seq(sensor, input.seq) };
    this.inputs.push({ atUs, item: this.#event(header, input) });
  }

  /** All items of a recording, in their order; the first arrives at `atUs`. */
  async addRecording(path: string, atUs: number): Promise<void> {
    const recording = await openRecording(path, { skipUnknown: true });
    try {
      const { firstReceivedUs = 0 } = recording;
      for await (const batch of recording.items()) {
        for (const { item, receivedUs } of batch) {
          const own: StreamItem = { ...item, stream: this.#stream };
          this.inputs.push({ atUs: atUs + receivedUs - firstReceivedUs, item: own });
        }
      }
    } finally {
      await recording.close();
    }
  }

  #seq(counter: string, given: number | undefined): number {
    const seq = given ?? this.#nextSeq.get(counter) ?? 0;
    this.#nextSeq.set(counter, seq + 1);
    return seq;
  }

  #event(
    header: Header,
    input: Exclude<TestInput, { recording: string } | { marker: string } | { generate: TestWave }>,
  ): SensorEvent {
    const spec = this.#spec.sensors.find(({ name }) => name === header.sensor);
    if ("events" in input) {
      const { width, height } = sized(spec, header, "dvs");
      const packet = createDvsPacket(width, height, input.events.length);
      for (const [i, [after, x, y, on]] of input.events.entries()) {
        packet.timeUs[i] = header.timeUs + after;
        packet.x[i] = x;
        packet.y[i] = y;
        packet.on[i] = on;
      }
      return { kind: "dvs", ...header, timeUs: packet.timeUs[0]!, packet };
    }
    if ("grey" in input) {
      const { width, height } = sized(spec, header, "video");
      const pixels = new Uint8Array(width * height).fill(input.grey);
      return { kind: "video", ...header, width, height, pixels, ...frameConvention(spec) };
    }
    if ("values" in input) return vectorEvent(header, spec, input.values);
    throw new TypeError("Cannot build an event of a status");
  }

  #generate(
    sensor: string,
    wave: TestWave,
    atUs: number,
    timeUs: number,
    seq: number | undefined,
  ): void {
    const spec = this.#spec.sensors.find(({ name }) => name === sensor);
    const size = spec !== undefined && "size" in spec ? spec.size : 1;
    const random = new Random(wave.seed);
    for (let i = 0; i < wave.count; i++) {
      const afterUs = i * wave.every;
      const value = wave.amplitude * sampleOf(wave, i, afterUs, random);
      const header = {
        stream: this.#stream,
        sensor,
        timeUs: timeUs + afterUs,
        seq: this.#seq(sensor, i === 0 ? seq : undefined),
      };
      const item = vectorEvent(
        header,
        spec,
        Array.from({ length: size }, () => value),
      );
      this.inputs.push({ atUs: atUs + afterUs, item });
    }
  }
}

/** From −1 to 1. */
function sampleOf(
  { wave, period, count }: TestWave,
  i: number,
  us: number,
  random: Random,
): number {
  switch (wave) {
    case "constant":
      return 1;
    case "ramp":
      return count === 1 ? 0 : i / (count - 1);
    case "sine":
      return Math.sin((2 * Math.PI * us) / period);
    case "noise":
      return 2 * random.uniform() - 1;
  }
}

function vectorEvent(
  header: Header,
  spec: SensorSpec | undefined,
  values: readonly number[],
): SensorEvent {
  if (spec?.kind === "dvs" || spec?.kind === "video") {
    const wanted = spec.kind === "dvs" ? "events" : "grey";
    throw misfit(header, spec.kind, wanted, "values");
  }
  const vector = Float32Array.from(values);
  if (spec?.kind !== "audio") return { kind: "scalar", ...header, values: vector };
  const { convention } = spec;
  return { kind: "audio", ...header, convention, availableUs: header.timeUs, values: vector };
}

/** Frames are cut as the model wants them. */
function frameConvention(spec: SensorSpec | undefined): { readonly convention?: string } {
  if (spec?.kind !== "video" || spec.convention === undefined) return {};
  return { convention: spec.convention };
}

function sized(
  spec: SensorSpec | undefined,
  header: Header,
  kind: "dvs" | "video",
): { readonly width: number; readonly height: number } {
  if (spec?.kind === kind) return spec;
  const given = kind === "dvs" ? "events" : "grey";
  const wanted = spec === undefined ? "values (the model has no such sensor)" : "what fits it";
  throw misfit(header, spec?.kind ?? "unknown", wanted, given);
}

function misfit({ sensor }: Header, kind: string, wanted: string, given: string): PolyphaseError {
  return new PolyphaseError(
    "BAD_CONFIG",
    `sensor ${sensor} is of kind ${kind}: it must be given ${wanted}, got ${given}`,
  );
}
