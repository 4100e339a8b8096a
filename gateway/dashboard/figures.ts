/** The numbers of a panel: big figures with their unit and the words that hold for them. */
import { limitSign, priorityMark, priorityWord } from "./alarms.ts";
import type { Board, State } from "./board.ts";
import { make, say } from "./dom.ts";
import { labelOf, VITALS, type VitalKind } from "./scales.ts";

interface Cell {
  readonly kind: VitalKind;
  readonly element: HTMLElement;
  readonly label: HTMLElement;
  readonly alarm: HTMLElement;
  readonly value: HTMLElement;
  readonly sign: HTMLElement;
  readonly whole: HTMLElement;
  readonly fraction: HTMLElement;
  readonly words: HTMLElement;
}

export class Figures {
  readonly element: HTMLElement;
  private readonly cells: readonly Cell[];

  constructor() {
    this.cells = VITALS.map(createCell);
    this.element = make("dl", "figures", ...this.cells.map(({ element }) => element));
  }

  /** Shows what may be shown at `now`, ms since the epoch. */
  update(board: Board, now: number, state: State): void {
    for (const { kind, element, label, alarm, value, sign, whole, fraction, words } of this.cells) {
      const shown = board.shown(kind.mdc, now, state);
      const [, mark, number] = /^([<>] )?(.*)$/.exec(shown.text)!;
      const [before, behind] = number.split(".");
      say(label, labelOf(kind, board.channelOf(kind.mdc)));
      say(sign, mark ?? "");
      say(whole, before);
      say(fraction, behind === undefined ? "" : `.${behind}`);
      say(words, shown.words.join(", "));
      const exact = shown.value ?? "";
      if (value.dataset.value !== exact) value.dataset.value = exact;
      const condition = shown.value === null ? "none" : shown.words.length > 0 ? "doubtful" : "good";
      if (element.dataset.condition !== condition) element.dataset.condition = condition;
      // The alarm stands, whatever the number is now.
      const standing = board.alarmOf(kind.mdc);
      const priority = standing === undefined ? "" : priorityWord(standing);
      if (element.dataset.alarm !== priority) element.dataset.alarm = priority;
      say(alarm, standing === undefined ? "" : [priorityMark(standing), limitSign(standing)].join(" ").trim());
    }
  }
}

function createCell(kind: VitalKind): Cell {
  const sign = make("span", "sign");
  const whole = make("span", "whole", "--");
  const fraction = make("span", "fraction");
  const value = make("span", "value", sign, whole, fraction);
  value.dataset.mdc = String(kind.mdc);
  value.dataset.value = "";
  const words = make("span", "words");
  const label = make("span", "", kind.label);
  const alarm = make("b", "limit");
  const reading = make("dd", "", value, make("span", "unit", kind.unit), words);
  const element = make("div", "vital", make("dt", "", label, alarm), reading);
  element.dataset.role = kind.role ?? "other";
  element.dataset.mdc = String(kind.mdc);
  return { kind, element, label, alarm, value, sign, whole, fraction, words };
}
