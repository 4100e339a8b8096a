/** Figures as text: columns that line up. */

/** A percentage with its three decimals; "-" where nothing could be counted. */
export const percent = (value: number | null): string => (value === null ? "-" : value.toFixed(3));

/** Lines of a table: the first column to the left, the others to the right, two spaces between. Rows may be short. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const texts = rows.map((row) => row.map(String));
  const widths: number[] = [];
  for (const row of texts) for (const [at, text] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, text.length);
  return texts.map((row) =>
    row
      .map((text, at) => (at === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[at]!)))
      .join("  ")
      .trimEnd(),
  );
}
