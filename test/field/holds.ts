/** A complaint's own test: named after its line, and held to the sentences that the page gives as the tool's. */
import { expect, test } from "vitest";
import type { Complaint } from "../../tools/field/complaint.ts";
import { complaintOf } from "../../tools/field/complaints.ts";

/** As the page's reader sees it: "line 1: red and infrared swapped on clone boards", "stale-fifo: an empty FIFO …". */
export const nameOf = ({ line, title }: Complaint): string =>
  `${typeof line === "number" ? `line ${line}` : line}: ${title}`;

export interface Held {
  readonly entry: Complaint;
  /** Takes note of texts that the code said: at the end each sentence of `entry.says` must have been within one of them. */
  heard(...texts: readonly string[]): void;
}

const plain = (text: string) => text.replace(/\s+/g, " ");

/** Declares the one test of this entry; a test of something else about it is an ordinary `test`. */
export function holds(line: Complaint["line"], body: (held: Held) => void | Promise<void>): void {
  const entry = complaintOf(line);
  test(nameOf(entry), async () => {
    const texts: string[] = [];
    await body({ entry, heard: (...said) => texts.push(...said.map(plain)) });
    for (const sentence of entry.says) {
      expect(
        texts.some((text) => text.includes(plain(sentence))),
        `of ${texts.length} texts none says "${sentence}"; the last: ${texts.slice(-3).join(" | ")}`,
      ).toBe(true);
    }
  });
}
