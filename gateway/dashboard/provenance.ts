/** Where a panel's numbers come from and how far they can be trusted: a line at the foot, and the rest in the details. */
import { EVENT_DISOWNED } from "../../protocol/messages.ts";
import type { Board } from "./board.ts";
import { make, say } from "./dom.ts";
import type { Evidence } from "./evidence.ts";
import { lossWords } from "./losses.ts";
import { keepsWords } from "./outage.ts";
import type { Mode } from "./proof.ts";
import { roleOf } from "./scales.ts";
import {
  capacityWords,
  countWords,
  evidenceWords,
  identityWords,
  inFours,
  longSpanWords,
  presenceWords,
} from "./words.ts";

const ITEMS = [
  "verified",
  "countersigned",
  "unchecked",
  "failed",
  "contradicted",
  "evidence",
  "rate",
  "gaps",
  "earlier",
  "keeps",
  "rejected",
  "age",
  "way",
] as const;

const MODE_WORDS: Record<Mode, string> = { S: "S (sign)", M: "M (mac)", E: "E (encrypt)" };

const gatewayWords = ({ gateways }: Evidence) => [...gateways].map(inFours).join(", ");

/** Of what the device signed itself. A MAC that a manifest lists is device-signed; no signature of its own was verified. */
function signedWords({ counts: { signed, listed, countersigned, unchecked } }: Evidence): string {
  if (listed + countersigned + unchecked === 0) return `\u2713 signature verified in this browser: ${signed}`;
  if (signed + listed === 0) return "";
  return `\u2713 device-signed, checked in this browser: ${signed + listed}${listed > 0 ? ` (${listed} by manifest)` : ""}`;
}

function contradictionWords({ contradicted }: Evidence): string {
  const [first] = contradicted;
  if (first === undefined) return "";
  const [boot, seq] = first.split(" ");
  const more = contradicted.size > 1 ? ` and ${contradicted.size - 1} more` : "";
  return `the device signed another payload for boot ${boot} seq ${seq}${more}: a clone or a rollback`;
}

/** "gaps: 12 missing, 340 declared lost (outbox full)". */
function gapWords(missing: number, declared: number, reasons: readonly string[]): string {
  if (missing + declared === 0) return "no gaps";
  const why = declared > 0 && reasons.length > 0 ? ` (${reasons.join(", ")})` : "";
  const parts = [
    missing > 0 ? `${countWords(missing)} missing` : "",
    declared > 0 ? `${countWords(declared)} declared lost${why}` : "",
  ];
  return `gaps: ${parts.filter(Boolean).join(", ")}`;
}

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
    const { counts, failed, rate, evidence } = board;
    const reasons = [...board.failures].map(([reason, count]) => `${reason}: ${count}`).join(", ");
    const { countersigned, unchecked } = evidence.counts;
    item("verified", evidence.lowest === null ? "nothing verified yet" : signedWords(evidence));
    item(
      "countersigned",
      countersigned === 0
        ? ""
        : `\u2713 MAC, countersigned by gateway ${gatewayWords(evidence)}, checked in this browser: ${countersigned}`,
    );
    item("unchecked", unchecked === 0 ? "" : `MAC alone, this browser cannot check it: ${unchecked}`);
    item("failed", failed === 0 ? "" : `${failed} refused by this browser (${reasons}), not drawn`, true);
    item("contradicted", contradictionWords(evidence), true);
    item("evidence", evidence.lowest === null ? "" : `mode ${evidence.mode}: ${evidenceWords(evidence.lowest)}`);
    item("rate", rate === null ? "" : `${rate.toFixed(2)} packets/s`);
    const { missing = 0, declared = 0, earlierMissing = 0, earlierDeclared = 0, rejected = 0, way = "" } = counts ?? {};
    item("gaps", counts === null ? "" : gapWords(missing, declared, board.losses.reasons(board.boot)), missing > 0);
    item(
      "earlier",
      earlierMissing + earlierDeclared === 0 ? "" : `earlier boots, ${gapWords(earlierMissing, earlierDeclared, [])}`,
      earlierMissing > 0,
    );
    item("keeps", keepsWords(board.offline));
    item("rejected", rejected === 0 ? "" : `${rejected} rejected by the gateway`, true);
    item("age", board.heardAt === null ? "" : `${longSpanWords(now - board.heardAt)} ago`);
    item("way", way);
    if (this.details.open) this.detail(board, by);
  }

  private detail(board: Board, by: string): void {
    const { birth, counts, presence, evidence } = board;
    const { signed, listed, countersigned, unchecked } = evidence.counts;
    const modes = Object.entries(evidence.modes).filter(([, count]) => count > 0);
    const rows: [string, string][] = [
      ["kid", inFours(board.kid)],
      ["card", `by ${board.issuer}, checked in this browser`],
      ["modes", modes.map(([mode, count]) => `${MODE_WORDS[mode as Mode]}: ${count}`).join(", ") || "not heard yet"],
      ["checks", `${board.failed} messages refused; checked by ${by}`],
      ["level 3, device-signed", `${signed} by their signatures, ${listed} by a manifest that the device signed`],
      [
        "level 2, mac + gateway",
        countersigned === 0
          ? "0"
          : `${countersigned} countersigned by gateway ${gatewayWords(evidence)}, whose card was checked in this browser`,
      ],
      ["level 1, mac", `${unchecked}: only who has the pre-shared key can check them`],
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
      const { missing, declared, earlierMissing, earlierDeclared } = counts;
      const told = (some: number, lost: number) =>
        `${countWords(some)} missing without a word, ${countWords(lost)} declared lost (event ${EVENT_DISOWNED})`;
      rows.push(["gaps", told(missing, declared)]);
      if (earlierMissing + earlierDeclared > 0) rows.push(["earlier boots", told(earlierMissing, earlierDeclared)]);
    }
    for (const range of board.losses.ranges) rows.push(["lost", lossWords(range)]);
    if (board.offline !== undefined)
      rows.push([
        "offline",
        `the board keeps ${capacityWords(board.offline)} of what it measures now before waveforms go`,
      ]);
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
