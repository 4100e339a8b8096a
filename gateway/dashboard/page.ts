/** What belongs to no board: the head of the page, its sources, gain and theme. */
import type { Condition } from "./connection.ts";
import { byId, make, say } from "./dom.ts";
import { GAINS, type Gain } from "./scales.ts";
import { inFours } from "./words.ts";

const CONDITIONS: Record<Condition, string> = {
  connecting: "connecting",
  open: "connected",
  lost: "connection lost",
  refused: "not let in",
};
const REFUSED =
  "The gateway does not know this browser: it was started anew. Open the address that the terminal shows.";
const OPEN = "open";

export interface PageEvents {
  readonly onGain: (gain: Gain) => void;
  /** Colours changed. */
  readonly onTheme: () => void;
}

export interface Head {
  condition(condition: Condition): void;
  /** Hexadecimal; null: the gateway knows none. */
  site(kid: string | null): void;
  boards(count: number): void;
  source(name: string, condition: string, sentence: string): void;
  /** Something that the whole page must say; empty: no more. */
  trouble(name: string, sentence: string): void;
  /** Gateway's time, ms since the epoch; null: not known. */
  clock(time: number | null): void;
}

export function createHead({ onGain, onTheme }: PageEvents): Head {
  const messages = byId("messages");
  const lines = new Map<string, HTMLElement>();
  const sources = new Map<string, string>();
  const trouble = (name: string, sentence: string) => {
    if (sentence === "") {
      lines.get(name)?.remove();
      lines.delete(name);
      return;
    }
    const line = lines.get(name) ?? make("p", "");
    say(line, sentence);
    if (!lines.has(name)) messages.append(line);
    lines.set(name, line);
  };
  createGain(onGain);
  createTheme(onTheme);
  return {
    condition(condition) {
      const element = byId("connection");
      say(element, CONDITIONS[condition]);
      element.dataset.condition = condition;
      trouble("connection", condition === "refused" ? REFUSED : "");
    },
    site(kid) {
      say(byId("site"), kid === null ? "unknown" : inFours(kid));
      trouble(
        "site",
        kid === null ? "The gateway knows no site key: cards cannot be checked here, so nothing is drawn." : "",
      );
    },
    boards: (count) => say(byId("count"), count === 1 ? "1 board" : count === 0 ? "no boards" : `${count} boards`),
    source(name, condition, sentence) {
      sources.set(name, condition);
      trouble(`source ${name}`, condition === OPEN ? "" : `${name} is ${condition}: ${sentence}`);
      const open = [...sources.values()].filter((one) => one === OPEN).length;
      say(byId("sources-open"), `${open} of ${sources.size} sources open`);
    },
    trouble,
    clock(time) {
      say(byId("clock"), time === null ? "--:--:--" : new Date(time).toLocaleTimeString("en-GB"));
    },
  };
}

function createGain(onGain: (gain: Gain) => void): void {
  const buttons = GAINS.map((gain) => {
    const button = make("button", "", String(gain));
    button.type = "button";
    button.addEventListener("click", () => {
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      onGain(gain);
    });
    button.setAttribute("aria-pressed", String(gain === 10));
    return button;
  });
  byId("gain").append(...buttons);
}

/** The system's choice until the button is pressed; what was pressed is kept. */
function createTheme(onTheme: () => void): void {
  const root = document.documentElement;
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: light)");
  const current = () => root.dataset.theme ?? (system.matches ? "light" : "dark");
  const other = () => (current() === "light" ? "dark" : "light");
  const show = () => {
    say(button, other());
    button.setAttribute("aria-label", `${other()} theme`);
    onTheme();
  };
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  say(button, other());
  system.addEventListener("change", show);
  button.addEventListener("click", () => {
    root.dataset.theme = other();
    localStorage.setItem("theme", root.dataset.theme);
    show();
  });
}
