import { readFile } from "node:fs/promises";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { PolyphaseError } from "../sensors/polyphase-error.ts";

type Path = readonly PropertyKey[];

/** A validated file that knows where in it everything stands. */
export interface PlacedConfig<T> {
  readonly path: string;
  readonly value: T;
  /** `file:line:column` of a value, or of the nearest that encloses it. */
  readonly place: (path: Path) => string;
}

/**
 * Reads a YAML file (JSON is YAML) and validates it.
 *
 * @throws {PolyphaseError} BAD_CONFIG that lists everything wrong with file, line and column
 */
export async function readConfigFile<T>(
  path: string,
  schema: z.ZodType<T>,
): Promise<PlacedConfig<T>> {
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw new PolyphaseError("BAD_CONFIG", `Cannot read ${path}: ${cause.message}`, { cause });
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const wrong = document.errors.map(({ pos, message }) => {
      return `${at(pos[0])}: ${message.split(" at line")[0]!.split("\n")[0]}`;
    });
    throw new PolyphaseError("BAD_CONFIG", wrong.join("\n"));
  }
  const place = (where: Path): string => at(offsetOf(document, where));
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return { path, value: parsed.data, place };
  const wrong = parsed.error.issues.map((issue) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    const where = [...issue.path, ...keys];
    const came = issue.code === "unrecognized_keys" ? "" : cameText(document, issue.path);
    return `${place(where)}: ${where.join(".") || "file"}: ${issue.message}${came}`;
  });
  throw new PolyphaseError("BAD_CONFIG", wrong.join("\n"));
}

/** Where a value begins; for a key of a map, where the key does. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const parent = length === 0 ? undefined : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair !== undefined && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function cameText(document: Document, path: Path): string {
  const node = document.getIn([...path], true);
  if (!isScalar(node)) return "";
  return `, got ${JSON.stringify(node.value)}`;
}
