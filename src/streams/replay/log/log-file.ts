import type { FileHandle } from "node:fs/promises";
import { McapConstants, type McapTypes } from "@mcap/core";
import type { LatePolicy } from "../../fuse/late-policy.ts";
import { recordingMetadataName } from "../../record/recording-channel.ts";
import { recordingEndName } from "../../record/recording-files.ts";
import { FileReadable } from "../file-readable.ts";
import { badRecording, limitedHandlers, locating, openFile } from "../open-mcap.ts";
import { type ChannelsById, type ChunkMessage, readChunk } from "../read-chunk.ts";
import { describeLogChannel, type LogChannel } from "./log-channel.ts";
import { type ChunkPlace, type McapIndex, readMcapIndex, scanMcap } from "./mcap-index.ts";

/** One file of a recorder, open for reading. */
export interface LogFile {
  readonly path: string;
  /** As the recorder was told. */
  readonly metadata: Readonly<Record<string, string>>;
  /** False where the recorder did not come to the end of the file. */
  readonly isClosed: boolean;
  /** True where the recorded run ends with the file. */
  readonly isEnd: boolean;
  readonly channels: ChannelsById<LogChannel>;
  readonly chunks: readonly ChunkPlace[];
  /** @throws {PolyphaseError} BAD_RECORDING if the chunk is damaged */
  read(chunk: ChunkPlace): Promise<ChunkMessage<LogChannel>[]>;
  close(): Promise<void>;
}

/**
 * Opens a file that a recorder wrote, even if it was cut off; undefined if the file is another
 * recording.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND, BAD_RECORDING
 */
export async function openLogFile(path: string): Promise<LogFile | undefined> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const readable = new FileReadable(file, size);
    if (!(await hasMagic(readable, 0, size))) {
      await file.close();
      return undefined;
    }
    const handlers = await limitedHandlers();
    const isClosed = await hasMagic(readable, size - McapConstants.MCAP_MAGIC.length, size);
    const index = await locating(path, readable, () =>
      isClosed ? readMcapIndex(readable, handlers) : scanMcap(readable),
    );
    if (index.metadata.get(recordingMetadataName)?.get("order") !== "merged") {
      await file.close();
      return undefined;
    }
    return logFile(path, file, readable, handlers, index);
  } catch (failure) {
    await file.close();
    throw failure;
  }
}

function logFile(
  path: string,
  file: FileHandle,
  readable: FileReadable,
  handlers: McapTypes.DecompressHandlers,
  index: McapIndex,
): LogFile {
  const channels = new Map(
    [...index.channels].map(([id, channel]) => {
      const schemaName = index.schemas.get(channel.schemaId)?.name ?? "";
      return [id, describeLogChannel(channel, schemaName, Number(index.counts.get(id) ?? 0n))];
    }),
  );
  return {
    path,
    metadata: Object.fromEntries(index.metadata.get(recordingMetadataName)!),
    isClosed: index.isClosed,
    isEnd: index.metadata.get(recordingEndName)?.get("run") === "ended",
    channels,
    chunks: index.chunks,
    read: ({ offset, length }) =>
      locating(path, readable, async () =>
        readChunk(await readable.read(offset, length), handlers, channels),
      ),
    close: () => file.close(),
  };
}

async function hasMagic(readable: FileReadable, offset: number, size: number): Promise<boolean> {
  const { MCAP_MAGIC } = McapConstants;
  if (offset < 0 || offset + MCAP_MAGIC.length > size) return false;
  const bytes = await readable.read(BigInt(offset), BigInt(MCAP_MAGIC.length));
  return MCAP_MAGIC.every((byte, i) => byte === bytes[i]);
}

/** The late policy that a run was recorded under. */
export function recordedPolicy({ path, metadata }: LogFile): LatePolicy {
  try {
    return JSON.parse(metadata["late"] ?? '{"policy":"drop"}') as LatePolicy;
  } catch (cause) {
    throw badRecording(path, `metadata late must be JSON, got ${metadata["late"]}`, cause);
  }
}
