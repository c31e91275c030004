import type { DataSet, ImportedRecording } from "../../../src/cli/import/importer.ts";

/** All recordings of a data set; their items are computed only when asked for. */
export async function collectRecordings(
  dataSet: DataSet,
  source: string,
): Promise<ImportedRecording[]> {
  const recordings: ImportedRecording[] = [];
  for await (const recording of dataSet.recordings(source, {})) recordings.push(recording);
  return recordings;
}
