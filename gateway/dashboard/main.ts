/**
 * The page: frames come in, are verified in order, drawn at once, and shown with what is known of them.
 *
 * For benches and tests: `window.vitalwire.drawn` holds a record of each of the last 4096 messages with new samples, times in
 * ms since the epoch by this page's clock (performance.timeOrigin + performance.now()), `received` by the gateway's;
 * `window.vitalwire.frames` counts animation frames, `penAt(kid, role)` says how far a sweep is drawn (board us).
 */
import { decodeCard } from "../../protocol/card.ts";
import { kidOf, kidText, toHex } from "../../protocol/keys.ts";
import { decodeMessage, type Message } from "../../protocol/messages.ts";
import { Board } from "./board.ts";
import { type Condition, connect } from "./connection.ts";
import { byId } from "./dom.ts";
import { decodeFrame, type Frame } from "./feed.ts";
import { createHead } from "./page.ts";
import { Panel } from "./panel.ts";
import { type Proof, prove, type Sealed, unseal } from "./proof.ts";
import type { Gain, Role } from "./scales.ts";
import { createVerifier, softCrypto } from "./verify.ts";

export interface DrawnRecord {
  readonly kid: string;
  readonly boot: number;
  readonly seq: number;
  readonly received: number;
  readonly arrived: number;
  readonly verified: number;
  readonly drawn: number;
}

const RECORDS = 4096;
/** States and figures, ms. */
const LOOK = 200;
const SECOND = 1000;
/**
 * With more boards than this the two columns are drawn in turns, each 30 times a second, three pixels a step. A browser without
 * a graphics card composes the rectangle around all that changed: two pens far apart cost it nearly the whole page.
 */
const CROWD = 4;

const verifier = await createVerifier(globalThis.crypto?.subtle);
const panels = new Map<string, Panel>();
/** Public keys of the gateways whose cards were checked, by kid. */
const gateways = new Map<string, Uint8Array>();
const queues = new Map<string, Promise<void>>();
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
let sitePublicKey: Uint8Array | null = null;
let condition: Condition = "connecting";
let live = false;
let gain: Gain = 10;
/** This page's clock less the gateway's, ms; null: not known. */
let ahead: number | null = null;
let unknown = 0;
let framing = false;

const bench = {
  drawn: [] as DrawnRecord[],
  frames: 0,
  penAt: (kid: string, role: Role) => panels.get(kid)?.strip.penAt(role) ?? null,
};
Object.assign(window, { vitalwire: bench });

const clock = () => performance.timeOrigin + performance.now();
const rebuild = () => {
  for (const { strip } of panels.values()) strip.rebuild(gain);
};
const head = createHead({
  onGain(chosen) {
    gain = chosen;
    rebuild();
  },
  onTheme: rebuild,
});

function onFrame(bytes: Uint8Array): void {
  const arrived = clock();
  let frame: Frame;
  try {
    frame = decodeFrame(bytes);
  } catch (error) {
    head.trouble("frame", (error as Error).message);
    return;
  }
  switch (frame.type) {
    case "hello":
      live = false;
      ahead = arrived - frame.now;
      sitePublicKey = frame.sitePublicKey;
      // The gateway tells again what stands.
      for (const { board } of panels.values()) board.notices = [];
      head.site(sitePublicKey && toHex(kidOf(sitePublicKey, softCrypto)));
      return;
    case "card":
      addCard(frame.card);
      return;
    case "message":
      queue(frame, arrived);
      return;
    case "live":
      live = true;
      return;
    case "counts": {
      const panel = panels.get(kidText(frame.kid));
      if (panel?.board.count(frame.counts, arrived, ahead ?? 0)) patch(panel);
      return;
    }
    case "notices": {
      const panel = panels.get(kidText(frame.kid));
      if (panel === undefined) return;
      panel.board.notices = frame.notices;
      panel.update(clock(), condition === "open");
      return;
    }
    case "source":
      head.source(frame.name, frame.condition, frame.sentence);
      return;
  }
}

function addCard(bytes: Uint8Array): void {
  if (sitePublicKey === null) return;
  try {
    const card = decodeCard(bytes, sitePublicKey, softCrypto);
    const kid = kidText(card.kid);
    if (card.role === "gateway") {
      if (!gateways.has(kid)) gateways.set(kid, card.publicKey);
      return;
    }
    if (panels.has(kid)) return;
    const panel = new Panel(new Board(kid, card.publicKey, card.issuer), panels.size + 1);
    panels.set(kid, panel);
    const boards = byId("boards");
    boards.append(panel.element);
    boards.dataset.count = String(panels.size);
    head.boards(panels.size);
    panel.update(clock(), true);
  } catch (error) {
    head.trouble("card", `A card was refused by this browser: ${(error as Error).message}`);
  }
}

/** Verification runs at once, what it lets through is taken in the order in which it came. */
function queue(frame: Frame & { type: "message" }, arrived: number): void {
  const wasLive = live;
  let sealed: Sealed;
  try {
    sealed = unseal(frame);
  } catch {
    refuseUnknown();
    return;
  }
  const { kid, payload } = sealed;
  const panel = panels.get(kid);
  if (panel === undefined) {
    refuseUnknown();
    return;
  }
  const check = prove(sealed, panel.board.publicKey, gateways, verifier).then((proof) => ({
    proof,
    verified: clock(),
  }));
  const before = queues.get(kid) ?? Promise.resolve();
  const after = before.then(async () => {
    const { proof, verified } = await check;
    if (proof === null) {
      panel.board.fail(sealed.gateway === null ? "signature" : "countersignature");
      return;
    }
    try {
      take(panel, { message: decodeMessage(payload), payload, proof }, frame.received, { arrived, verified, wasLive });
    } catch (error) {
      panel.board.fail((error as { reason?: string }).reason ?? "payload");
    }
  });
  queues.set(kid, after);
}

function refuseUnknown(): void {
  unknown++;
  head.trouble(
    "unknown",
    `${unknown} messages refused by this browser: they are no messages of a board whose card was checked.`,
  );
}

function take(
  panel: Panel,
  { message, payload, proof }: { message: Message; payload: Uint8Array; proof: Proof },
  received: number,
  when: { arrived: number; verified: number; wasLive: boolean },
): void {
  const { arrived, verified, wasLive } = when;
  const { board, strip } = panel;
  const at = wasLive ? arrived : Math.min(arrived, received + (ahead ?? 0));
  const channels = board.birth;
  const taken = board.take(message, payload, proof, { at, live: wasLive });
  if (taken.reborn) strip.restart();
  if (board.birth !== channels) strip.rebuild(gain);
  if (!wasLive) {
    strip.catchUp(taken.spans);
    panel.stale = true;
  } else if ("seq" in message) {
    const { boot, seq } = message;
    const note = () => {
      bench.drawn.push({ kid: board.kid, boot, seq, received, arrived, verified, drawn: clock() });
      if (bench.drawn.length > RECORDS) bench.drawn.shift();
    };
    strip.extend(taken.spans, performance.now() + performance.timeOrigin, reducedMotion.matches, note);
    panel.patched = panel.patched || taken.backfill;
    // A board that is catching up tells of the past many times a second.
    if (!taken.past) panel.update(clock(), condition === "open");
  }
  animate();
}

/** Holes are filled, or known to stay: once a frame is enough, however much came. */
function patch(panel: Panel): void {
  panel.patched = true;
  animate();
}

function animate(): void {
  if (framing) return;
  framing = true;
  requestAnimationFrame(onAnimation);
}

/** Runs only while something is to be drawn. */
function onAnimation(): void {
  bench.frames++;
  framing = false;
  const now = clock();
  const turns = panels.size > CROWD ? 2 : 1;
  let column = bench.frames;
  for (const panel of panels.values()) {
    if (panel.stale) panel.strip.rebuild(gain);
    else if (panel.patched) panel.strip.repaint();
    panel.stale = false;
    panel.patched = false;
    const moving = column++ % turns === 0 ? panel.strip.frame(now) : panel.strip.moving;
    framing = moving || framing;
  }
  if (framing) requestAnimationFrame(onAnimation);
}

setInterval(() => {
  const now = clock();
  for (const panel of panels.values()) panel.update(now, condition === "open");
}, LOOK);
setInterval(() => {
  const now = clock();
  head.clock(ahead === null || condition !== "open" ? null : now - ahead);
  for (const panel of panels.values()) panel.updateProvenance(now, verifier.by);
}, SECOND);
matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener("change", rebuild);

connect({
  onFrame,
  onCondition(next) {
    condition = next;
    live = live && next === "open";
    head.condition(next);
  },
});
