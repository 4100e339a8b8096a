/** The block below the scrolling lines: who talks, how fast, how well. */
import { longSpanWords } from "../../gateway/dashboard/words.ts";
import type { HeardBoot, HeardChannel } from "./boards.ts";
import { type Finding, type Where, words } from "./diagnosis.ts";
import { isTestOnly, type Keyring } from "./keyring.ts";
import { holdsWords, nameOf, newestBirth, qualityWords, siteOf, valueText } from "./lines.ts";
import type { Session } from "./session.ts";
import { flow, type Line, widthOf, wrap } from "./text.ts";

export interface StatusState {
  readonly where: Where;
  /** What is the matter with the port; null: it is open, or a file. */
  readonly trouble: string | null;
  readonly finding: Finding | null;
  readonly session: Session;
  readonly keyring: Keyring;
  /** On the line, bytes a second; null: not known. */
  readonly load: number | null;
  /** ms since the epoch; null: a file, so nothing is "ago". */
  readonly now: number | null;
}

/** Start bit, eight data bits, stop bit. */
const BITS_A_BYTE = 10;

/** At most `height` lines; none is longer than `width` columns but the first of each board and the totals, which are cut. */
export function statusLines(state: StatusState, width: number, height: number): Line[] {
  const head: Line[] = [[["dim", ruled(`── ${sourceText(state)} `, width)]]];
  const tail = totalsLines(state);
  const complaint = state.trouble ?? state.finding?.sentence;
  if (complaint !== undefined) {
    for (const text of wrap(complaint, width, 3)) tail.push([["warning", text]]);
  }
  const room = Math.max(0, height - head.length - tail.length);
  const boards = state.session.boards.current();
  const lines: Line[] = [];
  for (const [index, boot] of boards.entries()) {
    const own = boardLines(state, boot, width);
    const rest = boards.length - index - 1;
    if (lines.length + own.length + (rest > 0 ? 1 : 0) > room) {
      const more = index === 0 ? own.slice(0, room) : [[`and ${counted(rest + 1, "more board")}`]];
      lines.push(...more.slice(0, Math.max(0, room - lines.length)));
      break;
    }
    lines.push(...own);
  }
  return [...head, ...lines, ...tail].slice(0, height);
}

const ruled = (text: string, width: number) => text + "─".repeat(Math.max(0, width - widthOf(text)));

function sourceText({ where, load }: StatusState): string {
  if (where.baud === null) return where.name;
  const share =
    load === null
      ? ""
      : `, ${Math.round(load)} bytes/s, ${Math.round((100 * load * BITS_A_BYTE) / where.baud)} % of the line`;
  return `${where.name} at ${where.baud} baud${share}`;
}

/** So long after the last message that filled a gap a board still counts as catching up, ms. */
const CATCHING_UP = 5000;

/** How long the board holds what it sends, what it has declared lost, and how far it is in sending what it has kept; none: nothing to say. */
function outageCells({ now, session }: StatusState, boot: HeardBoot): string[] {
  const { boards } = session;
  const offline = boot.verified ? newestBirth(boot)?.claims.offline : undefined;
  const cells = offline === undefined ? [] : [holdsWords(offline)];
  if (boot.sequence.lost > 0) cells.push(`declared lost ${boot.sequence.lost}`);
  const filled = boards.backfills.get(boot.kid);
  if (now !== null && filled?.at != null && now - filled.at <= CATCHING_UP) {
    const where = filled.behind === null ? `in boot ${filled.boot}` : `${longSpanWords(filled.behind)} behind`;
    cells.push(`catching up: #${filled.seq}, ${where}`);
  }
  return cells;
}

function boardLines(state: StatusState, boot: HeardBoot, width: number): Line[] {
  const { now, keyring } = state;
  const channels = [...boot.channels.values()].sort((a, b) => a.id - b.id);
  const waves = channels.filter(
    ({ definition, rate, value }) => value === null && (rate.hz !== null || isWave(definition)),
  );
  const values = channels.filter(({ definition, value }) => value !== null && definition !== null);
  const card = keyring.cards.get(boot.kid);
  const key = card !== undefined && isTestOnly(card) ? " (TEST-ONLY)" : "";
  const flowing = now === null ? null : boot.flow.perSecond(now);
  const facts = [
    flowing === null ? counted(boot.packets, "packet") : `${flowing.toFixed(1)} packets/s`,
    `gaps ${boot.sequence.gaps}`,
    ...(now === null || boot.heardAt === null ? [] : [`${ago(now - boot.heardAt)} ago`]),
  ];
  const proof: Line[number] = boot.verified ? ["good", `signed${key}`] : ["warning", "UNVERIFIED"];
  const lines: Line[] = [[["strong", boot.kid], ` boot ${boot.boot}  `, proof, `  ${facts.join("  ")}`]];
  // A board repeats its birth every ten seconds while nobody acknowledges.
  if (boot.births.size === 0) lines.push([["warning", "  no birth yet: names and units come with it, within 10 s"]]);
  const site = siteOf(newestBirth(boot)?.channels);
  for (const cells of [
    outageCells(state, boot),
    waves.map(rateCell),
    boot.verified ? values.map((one) => valueCell(one, site)) : [],
  ]) {
    for (const text of flow(cells, width - 2, 2)) lines.push([`  ${text}`]);
  }
  return lines;
}

const isWave = (definition: HeardChannel["definition"]) => definition !== null && definition.rateMilliHz > 0;

/** Measured by the board's clock; nominal as the birth has it. */
function rateCell({ id, definition, rate }: HeardChannel): string {
  const measured = rate.hz === null ? "--" : rate.hz.toFixed(2);
  const nominal = definition === null ? "" : ` of ${definition.rateMilliHz / 1000}`;
  return `${nameOf(id, definition)} ${measured}${nominal} Hz`;
}

function valueCell({ id, definition, value }: HeardChannel, site: string | undefined): string {
  const quality = qualityWords(value!.qual, site);
  const shown = valueText(definition!, value!.value);
  return `${nameOf(id, definition)} ${shown}${quality.length === 0 ? "" : ` (${quality.join(", ")})`}`;
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

function ago(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

function totalsLines({ session }: StatusState): Line[] {
  const { totals, boards } = session;
  const { duplicates } = boards;
  const facts = [
    counted(totals.lines, "line"),
    counted(totals.packets, "packet"),
    `${totals.verified} verified`,
    `CRC errors ${totals.rejected.get("crc") ?? 0}`,
  ];
  if (totals.unchecked > 0) facts.push(`not checked ${totals.unchecked}`);
  // A monitor acknowledges nothing, so a board that waits for its gateway sends everything again.
  if (duplicates > 0) facts.push(`sent again ${duplicates}`);
  if (totals.fragments > 0) facts.push(`cut off ${totals.fragments}`);
  if (totals.rejected.size === 0) return [[[...facts, "rejected 0"].join("  ")]];
  return [[facts.join("  ")], [["bad", `rejected: ${words(totals.rejected)}`]]];
}
