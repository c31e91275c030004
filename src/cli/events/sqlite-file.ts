import type { FileHandle } from "node:fs/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** A value of a SQLite record; integers beyond 2^53 lose digits. */
export type SqliteValue = number | string | Uint8Array | undefined;

/** One row of a table: its rowid, then its columns (an INTEGER PRIMARY KEY column is undefined). */
export interface SqliteRow {
  readonly rowId: number;
  readonly values: readonly SqliteValue[];
}

const magic = "SQLite format 3\0";
const headerBytes = 100;
const leafPage = 0x0d;
const interiorPage = 0x05;
const payloadBytesMax = 256 * 1024 * 1024;
/** A tree of 2^32 pages is no deeper. */
const depthMax = 20;

/**
 * Reads the rows of tables in a SQLite 3 file (sqlite.org, "Database File Format"), in order of
 * rowid. Only what a closed rosbag2 recording needs: no write-ahead log, no WITHOUT ROWID.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #pageBytes: number;
  /** Bytes of a page that hold content. */
  readonly #usableBytes: number;

  private constructor(path: string, file: FileHandle, header: DataView) {
    this.#path = path;
    this.#file = file;
    const stated = header.getUint16(16);
    this.#pageBytes = stated === 1 ? 65_536 : stated;
    this.#usableBytes = this.#pageBytes - header.getUint8(20);
    if (this.#pageBytes < 512 || this.#usableBytes < 480) throw this.#damaged(1, "page size");
  }

  /** @throws {PolyphaseError} BAD_DATA if it is no SQLite 3 file */
  static async open(path: string, file: FileHandle): Promise<SqliteFile> {
    const header = new Uint8Array(headerBytes);
    const { bytesRead } = await file.read(header, 0, headerBytes, 0);
    const isSqlite = Buffer.from(header.subarray(0, magic.length)).toString("latin1") === magic;
    if (bytesRead < headerBytes || !isSqlite) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read ${path}: byte 0 must start a SQLite 3 file`,
      );
    }
    return new SqliteFile(path, file, new DataView(header.buffer));
  }

  /** @throws {PolyphaseError} BAD_DATA if there is no such table or a page is damaged */
  async *rows(table: string): AsyncGenerator<SqliteRow, void, void> {
    for await (const { values } of this.#tree(1, 0)) {
      const [type, name, , rootPage] = values;
      if (type === "table" && name === table) return yield* this.#tree(Number(rootPage), 0);
    }
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read ${this.#path}: there must be a table ${table}`,
    );
  }

  async *#tree(page: number, depth: number): AsyncGenerator<SqliteRow, void, void> {
    const view = await this.#readPage(page);
    const start = page === 1 ? headerBytes : 0;
    const type = view.getUint8(start);
    const cells = view.getUint16(start + 3);
    const isLeaf = type === leafPage;
    const cellsAt = start + (isLeaf ? 8 : 12);
    if ((!isLeaf && type !== interiorPage) || depth > depthMax) throw this.#damaged(page, "type");
    if (cellsAt + 2 * cells > this.#usableBytes) throw this.#damaged(page, "cell count");
    for (let i = 0; i < cells; i++) {
      const at = view.getUint16(cellsAt + 2 * i);
      if (at + 4 > this.#usableBytes) throw this.#damaged(page, "cell");
      if (isLeaf) yield await this.#row(view, page, at);
      else yield* this.#tree(view.getUint32(at), depth + 1);
    }
    if (!isLeaf) yield* this.#tree(view.getUint32(start + 8), depth + 1);
  }

  async #row(view: DataView, page: number, at: number): Promise<SqliteRow> {
    try {
      const cell = new VarintReader(view, at);
      const bytes = cell.next();
      const rowId = cell.next();
      if (bytes > payloadBytesMax) throw this.#damaged(page, "row size");
      const payload = await this.#payload(view, cell.at, bytes, page);
      return { rowId, values: parseRecord(payload) };
    } catch (error) {
      if (error instanceof RangeError) throw this.#damaged(page, "record");
      throw error;
    }
  }

  /** A row's bytes: the first in its cell, what does not fit in a chain of overflow pages. */
  async #payload(view: DataView, at: number, bytes: number, page: number): Promise<Uint8Array> {
    const usable = this.#usableBytes;
    const localMin = Math.floor(((usable - 12) * 32) / 255) - 23;
    const spread = localMin + ((bytes - localMin) % (usable - 4));
    const localIfSpilled = spread <= usable - 35 ? spread : localMin;
    const local = bytes <= usable - 35 ? bytes : localIfSpilled;
    if (at + local > usable) throw this.#damaged(page, "row");
    const payload = new Uint8Array(bytes);
    payload.set(new Uint8Array(view.buffer, view.byteOffset + at, local));
    let next = local < bytes ? view.getUint32(at + local) : 0;
    for (let filled = local; filled < bytes; ) {
      const overflow = await this.#readPage(next);
      const count = Math.min(bytes - filled, usable - 4);
      payload.set(new Uint8Array(overflow.buffer, overflow.byteOffset + 4, count), filled);
      filled += count;
      next = overflow.getUint32(0);
    }
    return payload;
  }

  async #readPage(page: number): Promise<DataView> {
    const bytes = new Uint8Array(this.#pageBytes);
    const position = (page - 1) * this.#pageBytes;
    if (!Number.isSafeInteger(position) || page < 1) throw this.#damaged(page, "number");
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, position);
    if (bytesRead < bytes.length) throw this.#damaged(page, "end");
    return new DataView(bytes.buffer);
  }

  #damaged(page: number, what: string): PolyphaseError {
    const position = Math.max(page - 1, 0) * this.#pageBytes;
    return new PolyphaseError(
      "BAD_DATA",
      `Cannot read ${this.#path}: page ${page} at byte ${position} must be a table page, got a bad ${what}`,
    );
  }
}

/** Reads big-endian integers of one to nine bytes, seven bits each, eight in the ninth. */
class VarintReader {
  at: number;
  readonly #view: DataView;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  next(): number {
    let value = 0;
    for (let i = 0; i < 8; i++) {
      const byte = this.#view.getUint8(this.at++);
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value * 256 + this.#view.getUint8(this.at++);
  }
}

const integerBytes: readonly number[] = [0, 1, 2, 3, 4, 6, 8];

function parseRecord(payload: Uint8Array): SqliteValue[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const types = new VarintReader(view, 0);
  let at = types.next();
  const valuesAt = at;
  const values: SqliteValue[] = [];
  while (types.at < valuesAt) {
    const type = types.next();
    const bytes = serialBytes(type);
    if (at + bytes > payload.length) throw new RangeError("Cannot read a value: it must fit");
    values.push(parseValue(view, payload, at, type, bytes));
    at += bytes;
  }
  return values;
}

function serialBytes(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return type === 7 ? 8 : (integerBytes[type] ?? 0);
}

function parseValue(
  view: DataView,
  payload: Uint8Array,
  at: number,
  type: number,
  bytes: number,
): SqliteValue {
  if (type === 0) return undefined;
  if (type === 7) return view.getFloat64(at);
  if (type === 8 || type === 9) return type - 8;
  const value = payload.subarray(at, at + bytes);
  if (bytes === 8 && type < 12) return Number(view.getBigInt64(at));
  if (type < 12) return Buffer.from(value).readIntBE(0, bytes);
  return type % 2 === 0 ? value : new TextDecoder().decode(value);
}
