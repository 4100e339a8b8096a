/** Where a panel's numbers come from and how far they can be trusted: a line at the foot, and the rest in the details. */
import { EVENT_DISOWNED } from "../../protocol/messages.ts";
import type { Board } from "./board.ts";
import { make, say } from "./dom.ts";
import { roleOf } from "./scales.ts";
import { evidenceWords, identityWords, inFours, presenceWords, spanWords } from "./words.ts";

const ITEMS = ["verified", "failed", "evidence", "rate", "gaps", "rejected", "age", "way"] as const;

export class Provenance {
  readonly element: HTMLElement;
  private readonly items = new Map<(typeof ITEMS)[number], HTMLElement>();
  private readonly list = make("dl", "more");
  private readonly details = make("details", "", make("summary", "", "details"));

  constructor() {
    this.details.append(this.list);
    for (const name of ITEMS) this.items.set(name, make("span", name));
    this.element = make("footer", "provenance", ...this.items.values(), this.details);
  }

  /** Once a second, or on change. `by`: who checks the signatures. */
  update(board: Board, now: number, by: string): void {
    const item = (name: (typeof ITEMS)[number], text: string, bad = false) => {
      const element = this.items.get(name)!;
      say(element, text);
      element.classList.toggle("bad", bad);
      element.hidden = text === "";
    };
    const { counts, failed, rate } = board;
    const reasons = [...board.failures].map(([reason, count]) => `${reason}: ${count}`).join(", ");
    item(
      "verified",
      board.verified === 0 ? "nothing verified yet" : `\u2713 signature verified in this browser: ${board.verified}`,
    );
    item("failed", failed === 0 ? "" : `${failed} refused by this browser (${reasons}), not drawn`, true);
    item("evidence", board.evidence === null ? "" : evidenceWords(board.evidence), board.evidence === 0);
    item("rate", rate === null ? "" : `${rate.toFixed(2)} packets/s`);
    const { missing = 0, declared = 0, rejected = 0, way = "" } = counts ?? {};
    const lost = missing > 0 || declared > 0;
    item(
      "gaps",
      counts === null ? "" : lost ? `gaps: ${missing} missing, ${declared} declared lost` : "no gaps",
      missing > 0,
    );
    item("rejected", rejected === 0 ? "" : `${rejected} rejected by the gateway`, true);
    item("age", board.heardAt === null ? "" : `${spanWords(now - board.heardAt)} ago`);
    item("way", way);
    if (this.details.open) this.detail(board, by);
  }

  private detail(board: Board, by: string): void {
    const { birth, counts, presence } = board;
    const rows: [string, string][] = [
      ["kid", inFours(board.kid)],
      ["card", `by ${board.issuer}, checked in this browser`],
      ["signatures", `${board.verified} hold, ${board.failed} do not; checked by ${by}`],
      ["evidence", board.evidence === null ? "none" : `at least ${evidenceWords(board.evidence)}`],
      ["way", counts?.way || "not heard yet"],
      [
        "presence",
        presence === null
          ? "not told on this way"
          : `${presenceWords(presence.state)}, connection ${presence.connection}`,
      ],
      ["boot", board.boot < 0 ? "no birth yet" : `${board.boot}, configuration ${birth?.cfg ?? "unknown"}`],
      ["software", birth === undefined ? "" : `${birth.claims.swname} ${birth.claims.swversion.join(" ")}`],
      ["period", `${board.schedule.period} ms, play-out margin ${Math.round(board.schedule.margin)} ms`],
    ];
    if (counts !== null) {
      rows.push(["gateway", `${counts.verified} stored, ${counts.rejected} rejected, ${counts.duplicates} seen twice`]);
      rows.push([
        "gaps",
        `${counts.missing} missing without a word, ${counts.declared} declared lost (event ${EVENT_DISOWNED})`,
      ]);
    }
    for (const one of birth?.channels ?? []) {
      const { chip, role, site, identity, calibration, lead } = one.attributes;
      const rate =
        one.rateMilliHz === 0 ? "values" : `${one.rateMilliHz / 1000} Hz${roleOf(one) === null ? ", not drawn" : ""}`;
      const parts = [role, lead, chip && `${chip} (${identityWords(identity)})`, site, rate, one.ucum, calibration];
      rows.push([`channel ${one.id}`, [`MDC ${one.mdc}`, ...parts.filter(Boolean)].join(", ")]);
    }
    const key = JSON.stringify(rows);
    if (this.list.dataset.rows === String(key.length) && this.list.textContent === rows.flat().join("")) return;
    this.list.replaceChildren(...rows.flatMap(([name, text]) => [make("dt", "", name), make("dd", "", text)]));
    this.list.dataset.rows = String(key.length);
  }
}
