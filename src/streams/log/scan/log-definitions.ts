import type { McapTypes } from "@mcap/core";
import type { LogChannel, LogSchema } from "./log-entry.ts";
import { opcodes, parseLogRecord, readRecordHead } from "./log-record.ts";

/** What the numbers of schemas and channels mean at one place of a file. */
export class LogDefinitions {
  readonly #schemas = new Map<number, LogSchema>();
  readonly #channels = new Map<number, LogChannel>();
  readonly #schemaIds = new Map<number, number>();
  /** Records as they lie in the file: a definition that is repeated stays the same object. */
  readonly #records = new Map<string, { readonly bytes: Uint8Array; isVerified: boolean }>();

  channel(id: number): LogChannel | undefined {
    return this.#channels.get(id);
  }

  get channels(): Iterable<LogChannel> {
    return this.#channels.values();
  }

  /**
   * Takes a schema or channel record.
   *
   * @param isVerified true if a checksum covers it: what has none changes nothing that is verified
   * @returns the channel, if it is new
   * @throws {Error} if it does not parse, or contradicts what is verified
   */
  add(record: Uint8Array, isVerified: boolean): LogChannel | undefined {
    const key = `${readRecordHead(record).opcode} ${record[9]} ${record[10]}`;
    const before = this.#records.get(key);
    if (before !== undefined && Buffer.compare(before.bytes, record) === 0) {
      before.isVerified ||= isVerified;
      return undefined;
    }
    if (before?.isVerified === true && !isVerified) {
      throw new Error("it contradicts a description with a checksum");
    }
    const parsed = parseLogRecord(record);
    let channel: LogChannel | undefined;
    if (parsed.type === "Schema") this.#addSchema(parsed);
    else if (parsed.type === "Channel") {
      channel = this.#addChannel(parsed);
      // Without its schema it is nothing yet; the same record may come again behind it.
      if (channel === undefined) return undefined;
    }
    this.#records.set(key, { bytes: record.slice(), isVerified });
    return channel;
  }

  #addSchema(schema: McapTypes.Schema): void {
    this.#schemas.set(schema.id, schema);
    // A schema that replaces one without a checksum does so for the channels that have it.
    for (const [id, schemaId] of this.#schemaIds) {
      const channel = this.#channels.get(id);
      if (schemaId === schema.id && channel !== undefined) {
        this.#channels.set(id, { ...channel, schema });
      }
    }
  }

  #addChannel(parsed: McapTypes.Channel): LogChannel | undefined {
    const { id, schemaId, topic, messageEncoding, metadata } = parsed;
    const schema = this.#schemas.get(schemaId);
    // Its messages cannot be described without it: they count as those of an unknown channel.
    if (schema === undefined && schemaId !== 0) return undefined;
    this.#schemaIds.set(id, schemaId);
    const channel: LogChannel = { topic, messageEncoding, metadata, schema };
    this.#channels.set(id, channel);
    return channel;
  }
}

/** True for the records that {@link LogDefinitions} takes. */
export function isDefinition(opcode: number): boolean {
  return opcode === opcodes.SCHEMA || opcode === opcodes.CHANNEL;
}
