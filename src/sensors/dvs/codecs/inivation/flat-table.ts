/**
 * A table of a FlatBuffers message, read in place. A field that is absent or lies outside the
 * message reads as its default.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  /** @param at byte offset of the table in `view` */
  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#vtable = this.#holds(at, 4) ? at - view.getInt32(at, true) : -1;
    this.#vtableBytes = this.#holds(this.#vtable, 4) ? view.getUint16(this.#vtable, true) : 0;
  }

  /** The root table of a message that begins at `at` of `view`. */
  static root(view: DataView, at: number): FlatTable {
    const offset = at + 4 <= view.byteLength ? view.getUint32(at, true) : 0;
    return new FlatTable(view, at + offset);
  }

  int8(field: number, absent: number): number {
    const at = this.#fieldAt(field, 1);
    return at < 0 ? absent : this.#view.getInt8(at);
  }

  int32(field: number, absent: number): number {
    const at = this.#fieldAt(field, 4);
    return at < 0 ? absent : this.#view.getInt32(at, true);
  }

  /** Exact up to 2^53. */
  int64(field: number, absent: number): number {
    const at = this.#fieldAt(field, 8);
    return at < 0 ? absent : Number(this.#view.getBigInt64(at, true));
  }

  /**
   * A vector or string field, bounded by the message.
   *
   * @returns where its elements begin and how many there are; none if it does not fit
   */
  vector(field: number, elementBytes: number): { readonly at: number; readonly count: number } {
    const none = { at: 0, count: 0 };
    const field0 = this.#fieldAt(field, 4);
    if (field0 < 0) return none;
    const at = field0 + this.#view.getUint32(field0, true);
    if (!this.#holds(at, 4)) return none;
    const count = this.#view.getUint32(at, true);
    return this.#holds(at + 4, count * elementBytes) ? { at: at + 4, count } : none;
  }

  /** Element `index` of a vector of tables. */
  tableAt(at: number, index: number): FlatTable {
    const slot = at + 4 * index;
    return new FlatTable(this.#view, slot + this.#view.getUint32(slot, true));
  }

  #fieldAt(field: number, bytes: number): number {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes || !this.#holds(this.#vtable + slot, 2)) return -1;
    const offset = this.#view.getUint16(this.#vtable + slot, true);
    return offset !== 0 && this.#holds(this.#at + offset, bytes) ? this.#at + offset : -1;
  }

  #holds(at: number, bytes: number): boolean {
    return at >= 0 && at + bytes <= this.#view.byteLength;
  }
}
