/** Text for a terminal: nothing that came over a line reaches it as a command, and no line is wider than the screen. */

export type Tone = "dim" | "good" | "warning" | "bad" | "strong";
/** A line in parts, each in its tone. */
export type Line = readonly (string | readonly [Tone, string])[];

/** Select graphic rendition (ECMA-48 8.3.117). */
const CODES: Record<Tone, string> = { dim: "2", good: "32", warning: "33", bad: "31", strong: "1" };
/** Controls, formats such as a change of direction, line separators, halves of pairs, and what is no character. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const MARK = /^[\p{M}]$/u;
/** East Asian wide and fullwidth (UAX 11), roughly, and emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const escapeCharacter = (character: string) => {
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
};

/** Shows what would steer a terminal as `\x1b`, `\u{202e}`; a tab becomes spaces. */
export function visible(text: string): string {
  return text.replaceAll("\t", "    ").replace(HIDDEN, escapeCharacter);
}

/** A line's bytes (latin1) as text: UTF-8 where they are that, else the same latin1. CR at the end is dropped. */
export function decodeText(line: string): { readonly text: string; readonly utf8: boolean } {
  const bytes = line.endsWith("\r") ? line.slice(0, -1) : line;
  try {
    return { text: utf8.decode(Buffer.from(bytes, "latin1")), utf8: true };
  } catch {
    return { text: bytes, utf8: false };
  }
}

/** What a person sees of a log line; bytes that are no UTF-8 as `\xe9`. */
export function visibleLog(log: { readonly text: string; readonly utf8: boolean }): string {
  const shown = visible(log.text);
  return log.utf8 ? shown : shown.replace(/[\x80-\xff]/g, escapeCharacter);
}

/** One JSON object as a line that may be looked at on a terminal: C1 controls and their like are escaped. */
export function jsonLine(value: unknown): string {
  const escaped = (character: string) => {
    let text = "";
    for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
    return text;
  };
  return `${JSON.stringify(value).replace(HIDDEN, escaped)}\n`;
}

const characterWidth = (character: string) => (WIDE.test(character) ? 2 : MARK.test(character) ? 0 : 1);

/** Columns that a visible text takes. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** At most `width` columns; what is longer ends in "…". */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width - 1) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** The line as it is written: at most `width` columns (null: as long as it is), tones only where `color`. */
export function render(line: Line, width: number | null, color: boolean): string {
  let left = width ?? Number.POSITIVE_INFINITY;
  const total = line.reduce((sum, part) => sum + widthOf(typeof part === "string" ? part : part[1]), 0);
  const tooLong = total > left;
  let text = "";
  for (const part of line) {
    const [tone, whole] = typeof part === "string" ? [null, part] : part;
    const used = widthOf(whole);
    // The part that would reach the last column of a line that is too long ends it.
    const last = tooLong && used >= left;
    const shown = last ? cut(`${whole} `, left) : whole;
    text += tone !== null && color && shown !== "" ? `\x1b[${CODES[tone]}m${shown}\x1b[0m` : shown;
    left -= used;
    if (last) break;
  }
  return text;
}

/** Words of a sentence in lines of at most `width` columns, `most` lines at most. */
export function wrap(text: string, width: number, most: number): string[] {
  return flow(text.split(" "), width, most, " ");
}

/** Cells one behind the other in lines of at most `width` columns; what has no place in `most` lines is left out with "…". */
export function flow(cells: readonly string[], width: number, most: number, between = "  "): string[] {
  const lines: string[] = [];
  for (const cell of cells) {
    const last = lines.at(-1);
    const joined = last === undefined ? cell : last + between + cell;
    if (last !== undefined && widthOf(joined) <= width) lines[lines.length - 1] = joined;
    else if (lines.length < most) lines.push(cut(cell, width));
    else {
      lines[most - 1] = cut(`${last}${between}…`, width);
      break;
    }
  }
  return lines;
}
