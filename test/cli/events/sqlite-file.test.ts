import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SqliteFile, type SqliteRow } from "../../../src/cli/events/sqlite-file.ts";
import { PolyphaseError } from "../../../src/sensors/polyphase-error.ts";

const pageBytes = 512;
/** Longer than a page: the rest is in overflow pages. */
const longValue = Uint8Array.from({ length: 1200 }, (_, i) => i & 255);

let folder: string;
let file: FileHandle;
let pages: Buffer;

/** A record of NULL, integers of one byte, texts and blobs: header, then values. */
function record(values: readonly (number | string | Uint8Array | undefined)[]): Buffer {
  const types = values.map((value) => {
    if (value === undefined) return 0;
    if (typeof value === "number") return 1;
    return typeof value === "string" ? 13 + 2 * value.length : 12 + 2 * value.length;
  });
  const header = Buffer.concat(types.map(varint));
  const bodies = values.map((value) =>
    typeof value === "number" ? Buffer.of(value) : Buffer.from(value ?? ""),
  );
  return Buffer.concat([varint(header.length + 1), header, ...bodies]);
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.of(128 | (value >> 7), value & 127);
}

/** A leaf page of rows, written from its end. */
function leaf(start: number, cells: readonly Buffer[]): Buffer {
  const page = Buffer.alloc(pageBytes);
  let at = pageBytes;
  page[start] = 0x0d;
  page.writeUInt16BE(cells.length, start + 3);
  cells.forEach((cell, i) => {
    at -= cell.length;
    cell.copy(page, at);
    page.writeUInt16BE(at, start + 8 + 2 * i);
  });
  return page;
}

const cell = (rowId: number, payload: Buffer): Buffer =>
  Buffer.concat([varint(payload.length), varint(rowId), payload]);

/** Page 1 the schema, 2 an interior page, 3 and 4 its leaves, 5 … 7 the overflow of row 2. */
function database(): Buffer {
  const schema = leaf(100, [cell(1, record(["table", "messages", "messages", 2, "CREATE"]))]);
  schema.write("SQLite format 3\0", 0, "latin1");
  schema.writeUInt16BE(pageBytes, 16);
  const interior = Buffer.alloc(pageBytes);
  interior[0] = 0x05;
  interior.writeUInt16BE(1, 3);
  interior.writeUInt32BE(4, 8);
  interior.writeUInt16BE(500, 12);
  interior.writeUInt32BE(3, 500);
  const long = record([undefined, longValue]);
  // "Database File Format", section 1.6: what of a payload stays in its cell.
  const usable = pageBytes;
  const localMin = Math.floor(((usable - 12) * 32) / 255) - 23;
  const spread = localMin + ((long.length - localMin) % (usable - 4));
  const local = spread <= usable - 35 ? spread : localMin;
  const next = Buffer.from([0, 0, 0, 5]);
  const spilled = Buffer.concat([varint(long.length), varint(2), long.subarray(0, local), next]);
  const overflow: Buffer[] = [];
  for (let at = local; at < long.length; at += usable - 4) {
    const page = Buffer.alloc(pageBytes);
    long.copy(page, 4, at, at + usable - 4);
    if (at + usable - 4 < long.length) page.writeUInt32BE(6 + overflow.length);
    overflow.push(page);
  }
  const leaves = [leaf(0, [cell(1, record([undefined, "one", 7]))]), leaf(0, [spilled])];
  return Buffer.concat([schema, interior, ...leaves, ...overflow]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "polyphase-sqlite-"));
  pages = database();
  file = await open(join(folder, "a.db3"), "w+");
  await file.write(pages, 0, pages.length, 0);
});

afterAll(async () => {
  await file.close();
  await rm(folder, { recursive: true });
});

async function rowsOf(table: string): Promise<SqliteRow[]> {
  const rows: SqliteRow[] = [];
  const database = await SqliteFile.open("a.db3", file);
  for await (const row of database.rows(table)) rows.push(row);
  return rows;
}

test("SqliteFile reads rows over interior and overflow pages", async () => {
  expect(await rowsOf("messages")).toEqual([
    { rowId: 1, values: [undefined, "one", 7] },
    { rowId: 2, values: [undefined, longValue] },
  ]);
});

test("SqliteFile says which table is missing", async () => {
  await expect(rowsOf("topics")).rejects.toThrow("Cannot read a.db3: there must be a table topics");
});

test.each([
  [0, 0xff, "byte 0 must start a SQLite 3 file"],
  [16, 0, "page 1 at byte 0 must be a table page, got a bad page size"],
  [pageBytes, 0xff, "page 2 at byte 512 must be a table page, got a bad type"],
  [pageBytes + 3, 0xff, "page 2 at byte 512 must be a table page, got a bad cell count"],
  [pageBytes + 8, 0xff, "must be a table page, got a bad end"],
  [2 * pageBytes + 8, 0xff, "page 3 at byte 1024 must be a table page, got a bad cell"],
])("SqliteFile names the page with a bad byte at %i", async (at, value, message) => {
  await file.write(Buffer.of(value), 0, 1, at);
  await expect(rowsOf("messages")).rejects.toThrow(message);
  await file.write(pages, 0, pages.length, 0);
});

test("SqliteFile gives rows or BAD_DATA whatever byte is damaged", async () => {
  for (let at = 0; at < 4 * pageBytes; at++) {
    if (pages[at] === 0 && at % 7 !== 0) continue;
    for (const value of [0, 0x7f, 0xff]) {
      await file.write(Buffer.of(value), 0, 1, at);
      await rowsOf("messages").catch((error: unknown) => {
        expect(error).toBeInstanceOf(PolyphaseError);
        expect((error as PolyphaseError).code).toBe("BAD_DATA");
      });
    }
    await file.write(pages, at, 1, at);
  }
}, 60_000);
