import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { PictureBox } from "../../sensors/video/picture-box.ts";
import type { PictureSize, VideoCropper } from "../../sensors/video/video-cropper.ts";

/** An item and when it would have arrived. */
export interface ImportedItem {
  readonly item: StreamItem;
  readonly receivedUs: TimeUs;
}

/** One recording to be written as `<name>.mcap`. */
export interface ImportedRecording {
  readonly name: string;
  /** Data set, label, licence, …: goes into the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Computed only when the recording is written. Order by `receivedUs` (see `byReceiveTime`). */
  readonly items: () => readonly ImportedItem[] | Promise<readonly ImportedItem[]>;
}

/** The same box of every picture, or what finds one in each. */
export type ImportCrop =
  | { readonly mode: "fixed"; readonly box: PictureBox }
  | { readonly mode: "detector"; readonly cropperOf: (size: PictureSize) => VideoCropper };

export interface ImportOptions {
  /** Leave out recordings of other folds; only for data sets that have folds. */
  readonly folds?: ReadonlySet<number>;
  /** The part of the pictures to take; only for data sets of uncropped pictures. */
  readonly crop?: ImportCrop;
  /** Hears of every picture that became no event, because nothing was found in it. */
  readonly onNoFace?: () => void;
  /** Ends programs that decode files. */
  readonly stop?: AbortSignal;
}

/** A data set that `polyphase import <name>` turns into recordings. */
export interface DataSet {
  /** Name of the command, and of the data set in recordings' metadata. */
  readonly name: string;
  readonly description: string;
  /** More for the help: what the folder looks like. */
  readonly details?: string;
  /** Where it lies under POLYPHASE_DATA. */
  readonly folder: string;
  /** Options offered beside those that all have. */
  readonly takes: readonly ("folds" | "crop")[];
  /** The recordings in a fixed order; the caller stops asking when it has enough. */
  readonly recordings: (
    source: string,
    options: ImportOptions,
  ) => AsyncGenerator<ImportedRecording, void, void>;
}

/**
 * Items in the order of arrival. Items that arrive together stay in the order given, so list markers
 * first: they come before the events of the same time.
 */
export function byReceiveTime(items: readonly ImportedItem[]): ImportedItem[] {
  return items.toSorted((a, b) => a.receivedUs - b.receivedUs);
}
