/** One status line a board: redrawn on a terminal, printed now and then elsewhere. */
import { FLAG_SETTLING } from "../drivers/driver.ts";
import { rejected } from "../gateway/origin.ts";
import { toPhysical } from "../gateway/read.ts";
import type { Accepted } from "../gateway/receiver.ts";
import { kidText } from "../protocol/keys.ts";
import { type ChannelDefinition, MDC_HEART_RATE, MDC_SPO2, MDC_TEMPERATURE, qualFlags } from "../protocol/messages.ts";
import type { Ward, WardBoard } from "./ward.ts";

/** Redrawing on a terminal, and printing elsewhere, ms. */
const REDRAW = 250;
const REPRINT = 10_000;

const CELLS = [
  { mdc: MDC_HEART_RATE, label: "HR ", unit: "/min", digits: 0, width: 3 },
  { mdc: MDC_SPO2, label: "SpO2 ", unit: " %", digits: 1, width: 5 },
  { mdc: MDC_TEMPERATURE, label: "", unit: " °C", digits: 2, width: 5 },
];

/** A vital as it was last told: null where it could not be measured; settling where it still moves. */
interface Shown {
  readonly value: number | null;
  readonly settling: boolean;
}

export interface Display {
  take(accepted: Accepted): void;
  /** A line of text above the status lines. */
  say(line: string): void;
  end(): void;
}

export function createDisplay(ward: Ward, headless: boolean, out: NodeJS.WriteStream): Display {
  /** By device and code. */
  const newest = new Map<string, Shown>();
  let drawn = 0;
  let ended = headless;

  const cell = (board: WardBoard, { mdc, label, unit, digits, width }: (typeof CELLS)[number]) => {
    const { value, settling } = newest.get(`${board.kid} ${mdc}`) ?? { value: null, settling: false };
    const text = value === null ? "--" : value.toFixed(digits);
    return `${label}${text.padStart(width)}${unit}${value !== null && settling ? "…" : " "}`;
  };
  const line = (board: WardBoard, index: number) => {
    const counters = board.counters();
    const device = ward.gateway.devices.get(board.node.signer.kid)!;
    const gaps = ward.gateway.devices.boot(device, board.node.boot).settled.missing;
    const bad = rejected(counters);
    const state = bad > 0 ? `${bad} REJECTED` : counters.verified > 0 ? "signed" : "waiting";
    return [
      `${index + 1} ${board.transport.padEnd(6)}`,
      `${String(counters.verified).padStart(5)} packets ${String(gaps).padStart(2)} gaps `,
      ...CELLS.map((one) => cell(board, one)),
      state,
    ].join(" ");
  };
  const draw = () => {
    const text = ward.boards.map((board, index) => line(board, index));
    if (out.isTTY) {
      const width = out.columns ?? 80;
      const up = drawn > 0 ? `\x1b[${drawn}A` : "";
      out.write(up + text.map((one) => `\x1b[2K${one.slice(0, width - 1)}\n`).join(""));
      drawn = text.length;
    } else out.write(`${text.join("\n")}\n`);
  };
  const timer = headless ? undefined : setInterval(draw, out.isTTY ? REDRAW : REPRINT);
  if (!headless) {
    const where = ward.boards.length === 1 ? "1 virtual board" : `${ward.boards.length} virtual boards`;
    out.write(
      `${where}: synthetic patients, TEST-ONLY keys; not a medical device.\n…: still settling. signed: every signature held. Ctrl-C ends it.\n`,
    );
  }
  return {
    take({ device, message }) {
      if (message.type !== "data") return;
      const kid = kidText(device.card.kid);
      const definitions = device.boots.get(message.boot)?.births.get(message.cfg)?.channels ?? [];
      for (const block of message.channels) {
        if (block.kind !== "num") continue;
        const definition = definitions.find(({ id }) => id === block.id) as ChannelDefinition;
        const value = block.value === null ? null : toPhysical(definition, block.value);
        newest.set(`${kid} ${definition.mdc}`, { value, settling: (qualFlags(block.qual) & FLAG_SETTLING) !== 0 });
      }
    },
    say(line) {
      if (headless) return;
      out.write(`${drawn > 0 ? `\x1b[${drawn}A\x1b[J` : ""}${line}\n`);
      drawn = 0;
      if (out.isTTY) draw();
    },
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      draw();
    },
  };
}
