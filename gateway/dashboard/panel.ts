/** One board on the page: head with its state, alarms, sweeps, figures, provenance. */
import { AlarmBar } from "./alarm-bar.ts";
import type { Board, State } from "./board.ts";
import { make, say } from "./dom.ts";
import { Figures } from "./figures.ts";
import { NoticeList } from "./notices.ts";
import { offlineWords } from "./outage.ts";
import { Provenance } from "./provenance.ts";
import { silenceOf } from "./silence.ts";
import { Strip } from "./strip.ts";
import { toldWords } from "./told.ts";
import { FLAGS, inFours, longSpanWords, presenceWords } from "./words.ts";

const WORDS: Record<State, string> = {
  waiting: "waiting for birth",
  live: "live",
  stopped: "stopped",
  late: "late",
  lost: "no gateway",
};

export class Panel {
  readonly element: HTMLElement;
  readonly board: Board;
  readonly strip: Strip;
  /** Something was taken that the next frame draws from the beginning. */
  stale = false;
  /** Something came into its place behind the pen: the next frame draws all that is there anew. */
  patched = false;
  state: State = "waiting";
  private readonly alarms: AlarmBar;
  private readonly notices: NoticeList;
  private readonly figures = new Figures();
  private readonly provenance = new Provenance();
  private readonly word = make("strong", "state");
  private readonly since = make("span", "since");
  private readonly filling = make("span", "filling");
  private readonly notice = make("p", "notice");
  private readonly told = make("span", "told");
  private readonly scale = make("span", "scale");
  private readonly chips = make("span", "chips");

  constructor(board: Board, number: number) {
    this.board = board;
    this.strip = new Strip(board);
    this.alarms = new AlarmBar(number);
    this.notices = new NoticeList(number);
    this.word.setAttribute("aria-live", "polite");
    this.notice.hidden = true;
    const name = make("h2", "", make("span", "number", String(number)), inFours(board.kid));
    this.filling.setAttribute("role", "status");
    const head = make("header", "", name, this.scale, this.chips, this.told, this.filling, this.since, this.word);
    const screen = make("div", "screen", this.strip.element, this.notice);
    this.told.setAttribute("role", "note");
    this.told.setAttribute("aria-label", `what board ${number} tells of its sensors`);
    const above = [head, this.notices.element, this.alarms.element];
    const parts = [...above, this.figures.element, screen, this.provenance.element];
    this.element = make("article", "board", ...parts);
    this.element.dataset.kid = board.kid;
    this.element.setAttribute("aria-label", `board ${number}, ${board.kid}`);
  }

  /** State, sentence and figures: ten times a second at most. `now`: ms since the epoch. */
  update(now: number, connected: boolean): void {
    const { board, element } = this;
    const state = board.state(now, connected);
    if (state !== this.state || element.dataset.state === undefined) {
      this.state = state;
      element.dataset.state = state;
      say(this.word, WORDS[state]);
    }
    const sentence = this.sentence(now);
    say(this.notice, sentence);
    this.notice.hidden = sentence === "";
    this.notices.update(board.notices);
    const time = board.boardTime(now) / 1000;
    const told = board.told.shown(time);
    say(this.told, told.map((one) => toldWords(one, time)).join(" \u00b7 "));
    const lasting = String(told.some((one) => one.lasting));
    if (this.told.dataset.lasting !== lasting) this.told.dataset.lasting = lasting;
    this.strip.cover((role) => silenceOf(board, role, now, state));
    this.alarms.update(board, now, state);
    this.figures.update(board, now, state);
  }

  /** Once a second. */
  updateProvenance(now: number, by: string): void {
    const { board } = this;
    const { presence, catchUp } = board;
    say(this.filling, catchUp.words(now));
    const filling = catchUp.state(now);
    if (this.filling.dataset.state !== filling) this.filling.dataset.state = filling;
    const chips = new Set(
      board.birth?.channels.map(({ attributes }) => attributes.chip ?? "").filter((chip) => chip !== ""),
    );
    say(this.scale, this.strip.scale);
    say(this.chips, [...chips].join(" \u00b7 "));
    const test = [...board.waves.values()].some(
      ({ newest }) => newest !== undefined && newest.flags & FLAGS.testSignal,
    );
    const unchecked = board.evidence.counts.unchecked > 0;
    const boot = board.boot < 0 ? "" : `boot ${board.boot}`;
    say(
      this.since,
      [
        test ? "TEST SIGNAL" : "",
        unchecked ? "NOT CHECKED HERE" : "",
        presence === null ? "" : presenceWords(presence.state),
        boot,
      ]
        .filter(Boolean)
        .join(" \u00b7 "),
    );
    this.provenance.update(board, now, by);
    this.element.classList.toggle("distrusted", board.failed + board.evidence.contradicted.size > 0);
  }

  private sentence(now: number): string {
    const { heardAt, schedule, presence } = this.board;
    const silence = heardAt === null ? "" : longSpanWords(now - heardAt);
    switch (this.state) {
      case "live":
        return "";
      case "waiting":
        return "waiting for birth: the board has not told what it measures";
      case "lost":
        return "connection to the gateway lost, trying again";
      case "late":
        return `late: what comes now was measured ${longSpanWords(schedule.late)} ago`;
      case "stopped": {
        if (this.board.notices.some(({ kind }) => kind === "quarantine" || kind === "revoked"))
          return `stopped ${silence} ago: the gateway stores nothing of it`;
        const why = presence !== null && presence.state !== 1 ? `, the board is ${presenceWords(presence.state)}` : "";
        const offline = offlineWords(this.board.offline, heardAt, now, this.board.catchUp.missing > 0);
        return `stopped: nothing for ${silence}${why}${offline === "" ? "" : `, ${offline}`}`;
      }
    }
  }
}
