import type { McapTypes } from "@mcap/core";
import type { LogChannel, LogSchema } from "./log-entry.ts";
import { opcodes, parseLogRecord, readRecordHead } from "./log-record.ts";

/** What the numbers of schemas and channels mean at one place of a file. */
export class LogDefinitions {
  readonly #schemas = new Map<number, LogSchema>();
  readonly #channels = new Map<number, LogChannel>();
  /** Records as they lie in the file: a definition that is repeated stays the same object. */
  readonly #records = new Map<string, Uint8Array>();

  channel(id: number): LogChannel | undefined {
    return this.#channels.get(id);
  }

  get channels(): Iterable<LogChannel> {
    return this.#channels.values();
  }

  /**
   * Takes a schema or channel record.
   *
   * @returns the channel, if it is new
   * @throws {Error} if it does not parse
   */
  add(record: Uint8Array): LogChannel | undefined {
    const key = `${readRecordHead(record).opcode} ${record[9]} ${record[10]}`;
    const before = this.#records.get(key);
    if (before !== undefined && Buffer.compare(before, record) === 0) return undefined;
    const parsed = parseLogRecord(record);
    let channel: LogChannel | undefined;
    if (parsed.type === "Schema") this.#schemas.set(parsed.id, parsed);
    else if (parsed.type === "Channel") channel = this.#addChannel(parsed);
    this.#records.set(key, record.slice());
    return channel;
  }

  #addChannel(parsed: McapTypes.Channel): LogChannel | undefined {
    const { id, schemaId, topic, messageEncoding, metadata } = parsed;
    const schema = this.#schemas.get(schemaId);
    // Its messages cannot be described without it: they count as those of an unknown channel.
    if (schema === undefined && schemaId !== 0) return undefined;
    const channel: LogChannel = { topic, messageEncoding, metadata, schema };
    this.#channels.set(id, channel);
    return channel;
  }
}

/** True for the records that {@link LogDefinitions} takes. */
export function isDefinition(opcode: number): boolean {
  return opcode === opcodes.SCHEMA || opcode === opcodes.CHANNEL;
}
