import { open } from "node:fs/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { ChannelTable } from "./channel-table.ts";
import { McapFileWriter, type RecordingFile } from "./mcap-file-writer.ts";
import { recordingMetadataName } from "./recording-channel.ts";
import type { RunEnd } from "./recording-output.ts";

/** The name of the MCAP metadata record that says how a recording ended. */
export const recordingEndName = "polyphase.end";

/** How files are created; replaced by tests of full disks. */
export type CreateFile = (path: string) => Promise<RecordingFile>;

/** Never overwrites: a recording is what cannot be had again. */
export const createFile: CreateFile = (path) =>
  open(path, "wx").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "EEXIST" ? "there is a file already" : cause.message;
    throw new PolyphaseError("FAILED", `Cannot write recording ${path}: ${reason}`, { cause });
  });

/** Starts one file of a recorder. */
export async function startRecordingFile(
  path: string,
  create: CreateFile,
  table: ChannelTable,
  metadata: Readonly<Record<string, string>>,
): Promise<McapFileWriter> {
  const writer = new McapFileWriter(await create(path), table);
  await writer.start(recordingMetadataName, new Map(Object.entries(metadata)));
  return writer;
}

/** Completes a file. */
export async function endRecordingFile(writer: McapFileWriter, end: RunEnd): Promise<void> {
  await writer.addMetadata(recordingEndName, new Map([["run", end]]));
  await writer.end();
  await writer.close();
}
