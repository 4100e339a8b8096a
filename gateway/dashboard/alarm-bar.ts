/** The alarms of a panel: what stands, the most urgent first, technical ones apart; and what is said of it to who does not see. */
import { ALARM_ACTIVE, PRIORITY_HIGH } from "../../protocol/messages.ts";
import {
  type Alarm,
  conditionWords,
  lateWords,
  priorityMark,
  priorityWord,
  standingWords,
  stateWords,
} from "./alarms.ts";
import type { Board, State } from "./board.ts";
import { make, say } from "./dom.ts";
import { spanWords } from "./words.ts";

interface Row {
  readonly element: HTMLElement;
  readonly mark: HTMLElement;
  readonly priority: HTMLElement;
  readonly words: HTMLElement;
  readonly state: HTMLElement;
}

export class AlarmBar {
  readonly element: HTMLElement;
  private readonly number: number;
  private readonly paused = make("p", "pause");
  private readonly stale = make("p", "stale");
  private readonly own = make("ul", "physiological");
  private readonly technical = make("ul", "technical");
  /** Read out at once, and when there is time: only on change, for what stands changes its words every second. */
  private readonly urgent = make("p", "spoken");
  private readonly calm = make("p", "spoken");
  private readonly rows = new Map<string, Row>();

  constructor(number: number) {
    this.number = number;
    this.urgent.setAttribute("aria-live", "assertive");
    this.calm.setAttribute("aria-live", "polite");
    this.technical.setAttribute("aria-label", "technical");
    const seen = make("div", "seen", this.paused, this.own, this.technical, this.stale);
    this.element = make("section", "alarms", seen, this.urgent, this.calm);
    this.element.setAttribute("aria-label", `alarms of board ${number}`);
    this.element.dataset.count = "0";
  }

  /** `now`: ms since the epoch. */
  update(board: Board, now: number, state: State): void {
    const { standing, pause } = board.alarms;
    const time = board.boardTime(now);
    for (const alarm of standing) this.show(alarm, board.vitals.get(alarm.channel ?? -1)?.raw ?? null, time, state);
    this.list(this.own, standing, false);
    this.list(this.technical, standing, true);
    for (const key of this.rows.keys()) if (!standing.some((alarm) => alarm.key === key)) this.rows.delete(key);
    const left = pause === null ? 0 : pause.onset + (pause.limit ?? 0) * 1e6 - time;
    say(this.paused, pause === null ? "" : `alarms paused${left > 0 ? `, ${spanWords(left / 1000)} left` : ""}`);
    const silent = state !== "live" && board.heardAt !== null;
    say(this.stale, silent && standing.length > 0 ? "as last told: what is so now is not known" : "");
    for (const one of [this.paused, this.stale, this.own, this.technical]) one.hidden = one.childNodes.length === 0;
    this.speak(standing, pause !== null);
    const count = String(standing.length + (pause === null ? 0 : 1));
    if (this.element.dataset.count !== count) this.element.dataset.count = count;
  }

  private show(alarm: Alarm, raw: number | null, time: number, state: State): void {
    const row = this.rows.get(alarm.key) ?? createRow();
    this.rows.set(alarm.key, row);
    const { dataset } = row.element;
    const late = String(alarm.late > 0);
    const condition = { id: String(alarm.id), priority: priorityWord(alarm), state: String(alarm.state), late };
    for (const [name, value] of Object.entries(condition)) if (dataset[name] !== value) dataset[name] = value;
    say(row.mark, priorityMark(alarm));
    say(row.priority, priorityWord(alarm).toUpperCase());
    say(row.words, standingWords(alarm, state === "live" ? raw : null, time, false));
    say(row.state, [lateWords(alarm), stateWords(alarm)].filter(Boolean).join(", "));
  }

  /** Puts the rows of one kind in their order; what stands there already is not touched. */
  private list(list: HTMLElement, standing: readonly Alarm[], technical: boolean): void {
    const elements = standing
      .filter(({ kind }) => (kind === "technical") === technical)
      .map(({ key }) => this.rows.get(key)!.element);
    const same = elements.length === list.children.length && elements.every((one, i) => list.children[i] === one);
    if (!same) list.replaceChildren(...elements);
  }

  private speak(standing: readonly Alarm[], paused: boolean): void {
    const sentences = (high: boolean) =>
      standing
        .filter((alarm) => isUrgent(alarm) === high)
        .map((alarm) => [
          `${priorityWord(alarm)} priority alarm`,
          conditionWords(alarm),
          lateWords(alarm),
          stateWords(alarm),
        ])
        .map((parts) => parts.filter((part) => part !== "").join(", "));
    const told = (texts: readonly string[]) => (texts.length === 0 ? "" : `Board ${this.number}: ${texts.join("; ")}`);
    say(this.urgent, told(sentences(true)));
    say(this.calm, told([...sentences(false), ...(paused ? ["alarms paused"] : [])]));
  }
}

/** What comes long after it began is reviewed: it interrupts nobody (PROTOCOL.md section 4). */
const isUrgent = ({ priority, state, late }: Alarm) =>
  priority === PRIORITY_HIGH && state === ALARM_ACTIVE && late === 0;

function createRow(): Row {
  const mark = make("span", "mark");
  mark.setAttribute("aria-hidden", "true");
  const priority = make("b", "priority");
  const words = make("span", "what");
  const state = make("span", "condition");
  return { element: make("li", "alarm", mark, priority, words, state), mark, priority, words, state };
}
