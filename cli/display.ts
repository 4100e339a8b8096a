/** Status lines of every board: redrawn on a terminal, printed now and then elsewhere; what begins and ends is a line of its own. */
import { FLAG_SETTLING } from "../drivers/driver.ts";
import { type AlarmChange, Alarms, eventWords, priorityMark, standingWords } from "../gateway/dashboard/alarms.ts";
import { claimText } from "../gateway/dashboard/scales.ts";
import { rejected } from "../gateway/origin.ts";
import type { Accepted } from "../gateway/receiver.ts";
import { kidText } from "../protocol/keys.ts";
import {
  ALARM_ACTIVE,
  type ChannelDefinition,
  type DataMessage,
  type EventMessage,
  MDC_HEART_RATE,
  MDC_SPO2,
  qualFlags,
} from "../protocol/messages.ts";
import { isSkin, TEMPERATURES, vitalChannel } from "../protocol/vital.ts";
import { deviceClock } from "./monitor/lines.ts";
import { wantsColor } from "./monitor/screen.ts";
import { cut, type Line, render, widthOf } from "./monitor/text.ts";
import type { Ward, WardBoard } from "./ward.ts";

/** Redrawing on a terminal, and printing elsewhere, ms. */
const REDRAW = 250;
const REPRINT = 10_000;

interface Cell {
  readonly codes: readonly number[];
  readonly label: (channel: ChannelDefinition | null) => string;
  readonly digits: number;
  readonly unit: string;
  readonly width: number;
}

const temperatureLabel = (channel: ChannelDefinition | null) =>
  channel !== null && isSkin(channel.mdc) ? "Skin" : "Temp";
const CELLS: readonly Cell[] = [
  { codes: [MDC_HEART_RATE], label: () => "HR", digits: 0, unit: "/min", width: 3 },
  { codes: [MDC_SPO2], label: () => "SpO2", digits: 1, unit: " %", width: 5 },
  { codes: TEMPERATURES, label: temperatureLabel, digits: 2, unit: " °C", width: 5 },
];

/** A value as it was last told: null where it could not be measured; settling where it still moves. */
interface Told {
  readonly raw: number | null;
  readonly settling: boolean;
  /** Board time of its message, ms. */
  readonly tick: number;
}

const NOTHING: Told = { raw: null, settling: false, tick: 0 };

/** What a board has told: its newest values and its alarms. No clock: `time` is that of its newest message. */
export class Heard {
  readonly alarms = new Alarms();
  /** Board time of the newest message, us. */
  time = 0;
  private channels: readonly ChannelDefinition[] = [];
  private readonly values = new Map<number, Told>();

  /** `channels`: as the birth of the message's configuration has them, and of an event's boot the newest. */
  data(message: DataMessage, channels: readonly ChannelDefinition[]): void {
    this.channels = channels;
    this.time = Math.max(this.time, message.tick * 1000);
    for (const block of message.channels) {
      // What comes late is not what is so now.
      if (block.kind !== "num" || message.tick < (this.values.get(block.id)?.tick ?? 0)) continue;
      const settling = (qualFlags(block.qual) & FLAG_SETTLING) !== 0;
      this.values.set(block.id, { raw: block.value, settling, tick: message.tick });
    }
  }

  event(message: EventMessage, channels: readonly ChannelDefinition[]): AlarmChange | null {
    this.time = Math.max(this.time, message.tick * 1000);
    return this.alarms.take(message, (id) => channels.find((one) => one.id === id));
  }

  raw(channel: number | null): number | null {
    return channel === null ? null : (this.values.get(channel)?.raw ?? null);
  }

  /** "HR  72/min", "SpO2  < 70 %", "Temp    -- °C"; "…" behind what still settles. */
  cells(): string {
    return CELLS.map(({ codes, label, digits, unit, width }) => {
      const channel = vitalChannel(this.channels, codes);
      const told = channel === null ? undefined : this.values.get(channel.id);
      const { raw, settling } = told ?? NOTHING;
      const text = channel === null || raw === null ? "--" : claimText(channel, raw, digits);
      return `${label(channel)} ${text.padStart(width)}${unit}${raw !== null && settling ? "…" : " "}`;
    }).join("");
  }

  /** The most urgent alarm and how many there are besides, at most `width` columns; null: none. */
  alarmLine(width: number): Line | null {
    const { standing, pause } = this.alarms;
    const paused = pause === null ? "" : `  alarms paused for ${pause.limit} s`;
    if (standing.length === 0) return paused === "" ? null : [["warning", paused]];
    const [first] = standing;
    const more = (standing.length > 1 ? `, +${standing.length - 1} more` : "") + (paused === "" ? "" : ", all paused");
    const word = first.kind === "technical" ? "technical alarm" : "ALARM";
    const text = `  ${priorityMark(first).padEnd(3)} ${word} ${standingWords(first, this.raw(first.channel), this.time)}`;
    const tone = first.kind === "technical" || first.priority > 2 ? "strong" : first.priority === 2 ? "warning" : "bad";
    return [[first.state === ALARM_ACTIVE ? tone : "strong", cut(text, width - widthOf(more)) + more]];
  }
}

export interface Display {
  take(accepted: Accepted): void;
  /** A line of text above the status lines. */
  say(line: string): void;
  end(): void;
}

export function createDisplay(ward: Ward, headless: boolean, out: NodeJS.WriteStream): Display {
  const heard = new Map(ward.boards.map(({ kid }) => [kid, new Heard()]));
  const color = wantsColor(out, process.env);
  let drawn = 0;
  let ended = headless;

  const width = () => (out.isTTY ? (out.columns ?? 80) - 1 : 100);
  const line = (board: WardBoard, index: number): Line => {
    const counters = board.counters();
    const device = ward.gateway.devices.get(board.node.signer.kid)!;
    const { settled, seal } = ward.gateway.devices.boot(device, board.node.boot);
    const bad = rejected(counters);
    const state: Line[number] =
      bad > 0
        ? ["bad", `${bad} REJECTED`]
        : counters.verified > 0
          ? ["good", seal === "mac" ? "mac" : "signed"]
          : "waiting";
    const cells = heard.get(board.kid)!.cells();
    const packets = `${String(counters.verified).padStart(5)} packets ${settled.missing} gaps`;
    return [`${index + 1} ${board.transport.padEnd(6)} ${packets} ${cells} `, state];
  };
  const lines = () =>
    ward.boards.flatMap((board, index) => {
      const alarm = heard.get(board.kid)!.alarmLine(width());
      return alarm === null ? [line(board, index)] : [line(board, index), alarm];
    });
  const draw = () => {
    const text = lines().map((one) => render(one, out.isTTY ? width() : null, color));
    if (out.isTTY) {
      const up = drawn > 0 ? `\x1b[${drawn}A\x1b[J` : "";
      out.write(up + text.map((one) => `${one}\n`).join(""));
      drawn = text.length;
    } else out.write(`${text.join("\n")}\n`);
  };
  const timer = headless ? undefined : setInterval(draw, out.isTTY ? REDRAW : REPRINT);
  const say = (line: Line) => {
    if (headless) return;
    out.write(`${drawn > 0 ? `\x1b[${drawn}A\x1b[J` : ""}${render(line, null, color)}\n`);
    drawn = 0;
    if (out.isTTY && !ended) draw();
  };
  if (!headless) {
    const where = ward.boards.length === 1 ? "1 virtual board" : `${ward.boards.length} virtual boards`;
    out.write(
      `${where}: synthetic patients, TEST-ONLY keys; not a medical device.\n…: still settling. signed: every signature held; mac: every MAC. Ctrl-C ends it.\n`,
    );
  }
  return {
    take({ device, message }) {
      const kid = kidText(device.card.kid);
      const own = heard.get(kid);
      const births =
        message.type === "data" || message.type === "event" ? device.boots.get(message.boot)?.births : null;
      if (own === undefined || !births) return;
      if (message.type === "data") own.data(message, births.get(message.cfg)?.channels ?? []);
      if (message.type !== "event") return;
      const change = own.event(message, [...births.values()].at(-1)?.channels ?? []);
      const place = ward.boards.findIndex((board) => board.kid === kid) + 1;
      if (change !== null) say(changeLine(place, change));
    },
    say: (text) => say([text]),
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      draw();
    },
  };
}

/** "0:01:46.0 board 1: ALARM high: SpO2 89.4 % below 90 (since 12 s)", by the board's clock. */
export function changeLine(place: number, { alarm }: AlarmChange): Line {
  const text = eventWords(alarm);
  const tone = !text.startsWith("ALARM") ? "strong" : alarm.priority === 1 ? "bad" : "warning";
  return [
    ["dim", `${deviceClock(alarm.time / 1000)} board ${place}: `],
    [tone, text],
  ];
}
