import { basename } from "node:path";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { DuplicateMessages } from "./duplicate-messages.ts";
import { LogWriter, type LogWriterOptions, schemaKey } from "./log-writer.ts";
import { disorderOf, type LogOrder, orderEntries, timeOf } from "./order-entries.ts";
import type { LogChannel, LogEntry, LogMessage } from "./scan/log-entry.ts";
import { type Log, openLog, readLog } from "./scan/open-log.ts";
import { isKeyframeChannel } from "./state-channels.ts";

export interface MergeLogsOptions extends Omit<LogWriterOptions, "profile"> {
  readonly order: LogOrder;
  /** Puts the name of its file before the stream and topic of every channel. */
  readonly prefix?: boolean;
  readonly dropDuplicates?: boolean;
  readonly stop?: AbortSignal;
}

export interface MergeLogsResult {
  readonly messages: number;
  readonly channels: number;
  /** Messages that were in the inputs more than once. */
  readonly duplicates: number;
  /** Recorded states: left out, for what lies before one is no longer what it is the state of. */
  readonly keyframesLeftOut: number;
}

/** One input: the entry it stands at, and what its channels are in the output. */
interface Input {
  readonly name: string;
  readonly entries: AsyncGenerator<LogEntry, void, void>;
  readonly channels: Map<LogChannel, LogChannel>;
  current: LogEntry | undefined;
}

/**
 * Writes the messages of several recordings to one, in order of time; at one time those of the first
 * input come first. Channels of the same topic become one if they agree in everything. Recorded states
 * are left out.
 *
 * @throws {PolyphaseError} BAD_RECORDING for a damaged input; BAD_DATA for channels of one topic that
 *   differ; INTERRUPTED
 */
export async function mergeLogs(
  paths: readonly string[],
  outPath: string,
  options: MergeLogsOptions,
): Promise<MergeLogsResult> {
  const logs: Log[] = [];
  try {
    for (const path of paths) logs.push(await openLog(path));
    return await new LogMerge(logs, options).run(outPath);
  } finally {
    for (const log of logs) await log.close();
  }
}

class LogMerge {
  readonly #logs: readonly Log[];
  readonly #options: MergeLogsOptions;
  /** By topic: the channel of the output, and which file it comes from. */
  readonly #byTopic = new Map<string, { readonly channel: LogChannel; readonly name: string }>();
  readonly #duplicates = new Map<LogChannel, DuplicateMessages>();
  #found = 0;
  #keyframesLeftOut = 0;

  constructor(logs: readonly Log[], options: MergeLogsOptions) {
    this.#logs = logs;
    this.#options = options;
  }

  async run(outPath: string): Promise<MergeLogsResult> {
    const inputs = await this.#openInputs();
    const writer = await LogWriter.create(outPath, { ...this.#options, profile: "polyphase" });
    try {
      await this.#writeAll(inputs, writer);
    } catch (failure) {
      await writer.abort();
      throw failure;
    }
    await writer.close();
    return {
      messages: writer.messages,
      channels: this.#byTopic.size,
      duplicates: this.#found,
      keyframesLeftOut: this.#keyframesLeftOut,
    };
  }

  async #openInputs(): Promise<readonly Input[]> {
    const { order } = this.#options;
    const inputs: Input[] = [];
    for (const log of this.#logs) {
      const disorder = await disorderOf(readLog(log), order);
      const entries = orderEntries(readLog(log), order, disorder);
      const stem = basename(log.path).replace(/\.mcap$/, "");
      const isTaken = inputs.some(({ name }) => name === stem);
      const name = isTaken ? `${stem}-${inputs.length + 1}` : stem;
      inputs.push({ name, entries, channels: new Map(), current: undefined });
    }
    return inputs;
  }

  async #writeAll(inputs: readonly Input[], writer: LogWriter): Promise<void> {
    for (const input of inputs) await this.#advance(input, writer);
    for (;;) {
      if (this.#options.stop?.aborted === true) {
        throw new PolyphaseError("INTERRUPTED", "Interrupted: nothing was written");
      }
      const input = this.#first(inputs);
      if (input === undefined) return;
      const message = input.current as LogMessage;
      const channel = this.#outputChannel(message.channel, input);
      const isDuplicate = this.#duplicatesOf(channel).hasSeen(message);
      if (isDuplicate) this.#found++;
      if (!isDuplicate || this.#options.dropDuplicates !== true) {
        await writer.write({ ...message, channel });
      }
      await this.#advance(input, writer);
    }
  }

  /** Goes to the next message of an input; what is no message is written at once. */
  async #advance(input: Input, writer: LogWriter): Promise<void> {
    for (;;) {
      const { value, done } = await input.entries.next();
      if (done === true) {
        input.current = undefined;
        return;
      }
      const isMessage = value.kind === "message";
      if ((isMessage || value.kind === "channel") && isKeyframeChannel(value.channel)) {
        if (isMessage) this.#keyframesLeftOut++;
        continue;
      }
      if (isMessage) {
        input.current = value;
        return;
      }
      const channel = value.kind === "channel" && this.#outputChannel(value.channel, input);
      await writer.write(channel === false ? value : { kind: "channel", channel });
    }
  }

  /** The input whose message is next. */
  #first(inputs: readonly Input[]): Input | undefined {
    let first: Input | undefined;
    for (const input of inputs) {
      if (input.current === undefined) continue;
      if (first === undefined || this.#time(input) < this.#time(first)) first = input;
    }
    return first;
  }

  #time({ current }: Input): bigint {
    return timeOf(current as LogMessage, this.#options.order);
  }

  #outputChannel(channel: LogChannel, input: Input): LogChannel {
    const known = input.channels.get(channel);
    if (known !== undefined) return known;
    const renamed = this.#options.prefix === true ? withPrefix(channel, input.name) : channel;
    const same = this.#byTopic.get(renamed.topic);
    const output = same?.channel ?? renamed;
    const difference = differenceOf(output, renamed);
    if (difference !== undefined) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot merge: topic ${renamed.topic} has ${difference[0]} ${difference[1]} in ${same!.name}, ${difference[2]} in ${input.name} (--prefix keeps both, each in streams named after its file)`,
      );
    }
    this.#byTopic.set(renamed.topic, { channel: output, name: same?.name ?? input.name });
    input.channels.set(channel, output);
    return output;
  }

  #duplicatesOf(channel: LogChannel): DuplicateMessages {
    let memory = this.#duplicates.get(channel);
    if (memory === undefined) {
      memory = new DuplicateMessages();
      this.#duplicates.set(channel, memory);
    }
    return memory;
  }
}

function withPrefix(channel: LogChannel, name: string): LogChannel {
  const metadata = new Map(channel.metadata);
  const stream = metadata.get("stream");
  if (stream !== undefined) metadata.set("stream", `${name}/${stream}`);
  return { ...channel, topic: `/${name}${channel.topic.replace(/^\/?/, "/")}`, metadata };
}

/** The first respect in which two channels differ, and both values, for people to read. */
function differenceOf(a: LogChannel, b: LogChannel): readonly [string, string, string] | undefined {
  if (a.messageEncoding !== b.messageEncoding) {
    return ["encoding", a.messageEncoding, b.messageEncoding];
  }
  if (a.schema?.name !== b.schema?.name) {
    return ["schema", a.schema?.name ?? "none", b.schema?.name ?? "none"];
  }
  if (a.schema && b.schema && schemaKey(a.schema) !== schemaKey(b.schema)) {
    return ["schema", `${a.schema.name} of one text`, "another"];
  }
  for (const key of [...a.metadata.keys(), ...b.metadata.keys()].sort()) {
    const [left, right] = [a.metadata.get(key), b.metadata.get(key)];
    if (left !== right) return [key, left ?? "unset", right ?? "unset"];
  }
  return undefined;
}
