import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { EventSource } from "./event-source.ts";
import { openFile } from "./open-file.ts";
import { type ContainedMessage, isRosEventType, RosEventSource } from "./ros-event-source.ts";
import { SqliteFile } from "./sqlite-file.ts";

/** Opens a rosbag2 recording in its SQLite form (`.db3`). */
export async function openRosbag2(path: string, topic: string | undefined): Promise<EventSource> {
  const file = await openFile(path);
  try {
    const database = await SqliteFile.open(path, file);
    const topicId = await findTopic(path, database, topic);
    const messages = readMessages(database, topicId, () => file.close());
    return new RosEventSource(path, "rosbag2", messages);
  } catch (failure) {
    await file.close();
    throw failure;
  }
}

async function findTopic(
  path: string,
  database: SqliteFile,
  topic: string | undefined,
): Promise<number> {
  const names: string[] = [];
  let found: { readonly name: string; readonly id: number } | undefined;
  for await (const { rowId, values } of database.rows("topics")) {
    const [, name, type] = values.map(String);
    if (!isRosEventType(type ?? "")) continue;
    names.push(name!);
    const isWanted = topic === undefined ? !found || name! < found.name : name === topic;
    if (isWanted) found = { name: name!, id: rowId };
  }
  if (found !== undefined) return found.id;
  throw noTopic(path, topic, names);
}

/** What is wrong with a container that has no topic to read. */
export function noTopic(
  path: string,
  topic: string | undefined,
  names: readonly string[],
): PolyphaseError {
  const wanted = topic === undefined ? "a topic of event packets" : `topic ${topic}`;
  const got = names.length > 0 ? names.join(", ") : "none";
  return new PolyphaseError("BAD_DATA", `Cannot read ${path}: there must be ${wanted}, got ${got}`);
}

async function* readMessages(
  database: SqliteFile,
  wantedTopic: number,
  close: () => Promise<void>,
): AsyncGenerator<ContainedMessage, void, void> {
  try {
    for await (const { rowId, values } of database.rows("messages")) {
      const [, topic, , data] = values;
      if (topic !== wantedTopic || !(data instanceof Uint8Array)) continue;
      yield { data, place: `message ${rowId}` };
    }
  } finally {
    await close();
  }
}
