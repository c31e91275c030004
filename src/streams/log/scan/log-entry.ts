import type { McapTypes } from "@mcap/core";

/** How the messages of a channel are described; as written, whoever wrote it. */
export interface LogSchema {
  readonly name: string;
  readonly encoding: string;
  readonly data: Uint8Array;
}

/** A channel of an MCAP file by what it says, not by its number in that file. */
export interface LogChannel {
  readonly topic: string;
  readonly messageEncoding: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Undefined for messages without a schema. */
  readonly schema: LogSchema | undefined;
}

/** A message as it lies in a file: nothing is decoded, so that nothing can be changed. */
export interface LogMessage {
  readonly kind: "message";
  readonly channel: LogChannel;
  readonly sequence: number;
  /** Nanoseconds. */
  readonly logTime: bigint;
  readonly publishTime: bigint;
  /** A view on the memory of its chunk; never overwritten. */
  readonly data: Uint8Array;
}

/** What an MCAP file holds beside its indexes, in file order. */
export type LogEntry =
  | LogMessage
  | { readonly kind: "header"; readonly profile: string; readonly library: string }
  | { readonly kind: "channel"; readonly channel: LogChannel }
  | { readonly kind: "metadata"; readonly metadata: McapTypes.Metadata }
  | { readonly kind: "attachment"; readonly attachment: McapTypes.Attachment };

/** Why a part of a file cannot be used. */
export type LossReason =
  | "not-mcap"
  | "chunk-damaged"
  | "cut-off"
  | "garbage"
  | "record-damaged"
  | "outside-chunk"
  | "channel-unknown"
  | "unknown-record"
  | "summary-missing"
  | "after-end";

/** A stretch of a file, or some messages in it, that cannot be used. */
export interface Loss {
  readonly reason: LossReason;
  /** Bytes from (included) and to (excluded) of the file. */
  readonly from: number;
  readonly to: number;
  /** What exactly was found there. */
  readonly detail: string;
  /** Messages lost; undefined where nobody can tell. */
  readonly messages: number | undefined;
  /** True where a chunk, with all that was in it, is lost. */
  readonly isChunk: boolean;
}
