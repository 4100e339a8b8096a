/**
 * What a complaint of FAULTS.md is to this project: the words of docs/when-it-does-not-work.md and what its test holds.
 * The page is written from these entries, and each entry's test (test/field/) takes its sentences from here.
 */

/** Defects of existing drivers, read in their sources: the last paragraph of FAULTS.md. */
export const defects = [
  "stale-fifo",
  "ignored-address",
  "unsigned-temperature",
  "dropped-pec",
  "repeated-vital",
  "zero-spo2",
  "endless-busy",
] as const;
export type Defect = (typeof defects)[number];

/** How the page's index calls what is seen, in the order of the index. */
export const symptoms = [
  "No value",
  "A wrong SpO2",
  "A wrong pulse or heart rate",
  "A wrong temperature",
  "A wrong curve",
  "A value without a finger or an electrode",
  "It stops, or samples are missing",
  "Times are missing or wrong",
  "A recording or an export cannot be used",
  "Anything else",
] as const;
export type Symptom = (typeof symptoms)[number];

export interface Complaint {
  /** Line of FAULTS.md, 1 to 25, or one of the defects. */
  readonly line: number | Defect;
  /** In FAULTS.md's words. */
  readonly title: string;
  /** What is seen, in a few words, for the index; absent: the title says it. */
  readonly seen?: string;
  /** Whom it was reported to, as FAULTS.md has it; a defect: none. */
  readonly where: readonly string[];
  /** Where the index has it. */
  readonly symptoms: readonly Symptom[];
  /** Sentences for a person at a bench, in Markdown: what you see, why it is so, what to do. */
  readonly see: string;
  readonly why: string;
  readonly act: string;
  /** What the tool says, to the letter; the entry's test sees each of them said. Empty: nothing that has words of its own. */
  readonly says: readonly string[];
  /** What a naive reader reports of it, and what this project does. */
  readonly naive: string;
  readonly ours: string;
  /** The file that holds it, from the project's root; with `name` the test in it, else the one of this entry (holds.ts). null: nothing does. */
  readonly test: { readonly file: string; readonly name?: string } | null;
  /** What falls short of it, or is not built yet; absent: nothing. */
  readonly missing?: string;
}
