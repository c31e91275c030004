/**
 * Rows as text in columns: numbers to the right, text to the left, two spaces between.
 *
 * @param head column titles
 * @param rows as many cells as there are titles
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = rows.map((row) => row.map(String));
  const widths = head.map((title, i) => {
    return Math.max(title.length, ...cells.map((row) => row[i]!.length));
  });
  const rightAligned = head.map((_, i) => rows.every((row) => /^[-–\d]/.test(String(row[i]))));
  const line = (row: readonly string[]): string => {
    return row
      .map((cell, i) => (rightAligned[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  };
  return [line(head), line(widths.map((width) => "─".repeat(width))), ...cells.map(line)].join(
    "\n",
  );
}
