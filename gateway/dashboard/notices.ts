/** Technical conditions of a board that are no alarm of its patient: in quarantine, revoked, its key replaced. */
import { make } from "./dom.ts";
import type { Notice } from "./feed.ts";

const WORDS: Record<Notice["kind"], string> = {
  quarantine: "IN QUARANTINE",
  revoked: "REVOKED",
  rotation: "KEY REPLACED",
  "boot regression": "EARLIER BOOT",
};

/** "2026-12-01 03:12:05", by this browser's clock and place. */
const timeWords = (ms: number) => new Date(ms).toLocaleString("sv-SE");

export class NoticeList {
  readonly element = make("ul", "notices");
  private shown: readonly Notice[] = [];

  constructor(number: number) {
    this.element.setAttribute("aria-live", "polite");
    this.element.setAttribute("aria-label", `technical conditions of board ${number}`);
  }

  /** `notices`: all that stand; the same list costs nothing. */
  update(notices: readonly Notice[]): void {
    if (notices === this.shown) return;
    this.shown = notices;
    this.element.replaceChildren(...notices.map(row));
  }
}

function row({ kind, since, sentence, command }: Notice): HTMLElement {
  const name = make("b", "", `TECHNICAL: ${WORDS[kind]}`);
  const words = make("span", "", `since ${timeWords(since)}: ${sentence}`);
  const element = make("li", "", name, words);
  if (command !== "") element.append(make("code", "", command));
  element.dataset.kind = kind;
  return element;
}
