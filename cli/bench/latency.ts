/**
 * From seal to screen: eight boards at their own pace, the whole road between, the page in a real browser on this machine.
 * Times are of one machine's clock, so they can be subtracted.
 */
import { decodeEnvelope } from "../../protocol/cose.ts";
import { decodeMessage } from "../../protocol/messages.ts";
import { runPaced } from "../pace.ts";
import { openPage } from "../page.ts";
import { createWard, type WardBoard } from "../ward.ts";
import { type Figure, figure, percentile, Unavailable } from "./bench.ts";
import { findBrowser, openBrowser } from "./browser.ts";

const BOARDS = 8;
/** Before the measurement, and it, s. */
const WARM_UP = 12;
const MEASURED = 30;

/** What frames alone cost on this machine: a page of nothing but one canvas with a line that moves. */
const BARE_SECONDS = 8;
const BARE = `data:text/html,<canvas width=1400 height=860></canvas><script>
const ink = document.querySelector("canvas").getContext("2d", { alpha: false }); let x = 0;
(function draw() { ink.fillStyle = "black"; ink.fillRect(x + 2, 0, 2, 860); ink.fillStyle = "lime"; ink.fillRect(x, 0, 2, 860);
x = (x + 2) % 1400; requestAnimationFrame(draw); })()</script>`.replaceAll("\n", " ");

interface Drawn {
  readonly kid: string;
  readonly boot: number;
  readonly seq: number;
  readonly received: number;
  readonly arrived: number;
  readonly drawn: number;
}

const now = () => performance.timeOrigin + performance.now();

/** Throws Unavailable where there is no browser: this bench is about what is seen. */
export async function latency(say: (line: string) => void): Promise<Figure[]> {
  const path = findBrowser();
  if (path === null)
    throw new Unavailable("bench latency needs a Chromium: install one (Debian: chromium), or set CHROMIUM_BIN");
  const ward = await createWard({
    boards: BOARDS,
    seed: 1,
    noise: true,
    epoch: Date.now(),
    stagger: 1e6 / BOARDS,
    onStored: (accepted) => page?.stored(accepted),
  });
  let page: Awaited<ReturnType<typeof openPage>> | null = null;
  let ended = false;
  let pacing: Promise<void> = Promise.resolve();
  const sealed = new Map<string, number>();
  for (const board of ward.boards) noteSealing(board, sealed);
  try {
    page = await openPage({ port: 0, asked: true }, ward.gateway, ward.sitePublicKey, () => {});
    await ward.start();
    pacing = runPaced(ward.clock, Number.POSITIVE_INFINITY, () => ended);
    const browser = await openBrowser(path, BARE);
    try {
      await pause(2);
      const idle = browser.cpuSeconds();
      await pause(BARE_SECONDS);
      const bare = browser.cpuSeconds();
      await browser.open(page.address);
      say(`${BOARDS} boards of 3 sweeps, ${WARM_UP} s to settle, ${MEASURED} s measured …`);
      await pause(WARM_UP);
      const before = await sample(browser);
      const own = process.cpuUsage();
      await pause(MEASURED);
      const after = await sample(browser);
      const { user, system } = process.cpuUsage(own);
      const drawn = JSON.parse(String(await browser.evaluate("JSON.stringify(window.vitalwire.drawn)"))) as Drawn[];
      const seconds = (after.at - before.at) / 1000;
      return figures(
        drawn.filter((one) => one.arrived >= before.at),
        sealed,
        {
          frames: (after.frames - before.frames) / seconds,
          browser: after.cpu === null || before.cpu === null ? null : (100 * (after.cpu - before.cpu)) / seconds,
          bare: bare === null || idle === null ? null : (100 * (bare - idle)) / BARE_SECONDS,
          gateway: (user + system) / 1e4 / seconds,
        },
      );
    } finally {
      browser.close();
    }
  } finally {
    ended = true;
    await pacing;
    await page?.close();
    await ward.stop();
  }
}

/** A message is handed to its link as soon as it is sealed. */
function noteSealing(board: WardBoard, sealed: Map<string, number>): void {
  const { link } = board;
  const send = link.send;
  link.send = (letter, bytes) => {
    const message = decodeMessage(decodeEnvelope(bytes).payload);
    if ("seq" in message) {
      const key = `${board.kid} ${message.boot} ${message.seq}`;
      // Only the first sending is the seal's.
      if (!sealed.has(key)) sealed.set(key, now());
    }
    return send(letter, bytes);
  };
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function sample(browser: Awaited<ReturnType<typeof openBrowser>>) {
  const frames = Number(await browser.evaluate("window.vitalwire.frames"));
  return { frames, cpu: browser.cpuSeconds(), at: now() };
}

function figures(
  drawn: readonly Drawn[],
  sealed: ReadonlyMap<string, number>,
  load: { frames: number; browser: number | null; bare: number | null; gateway: number },
): Figure[] {
  const delays: number[] = [];
  const arrivals: number[] = [];
  for (const one of drawn) {
    const at = sealed.get(`${one.kid} ${one.boot} ${one.seq}`);
    if (at === undefined) continue;
    delays.push(one.drawn - at);
    arrivals.push(one.arrived - at);
  }
  const result = [
    figure("messages drawn", delays.length, "", ["at least", BOARDS * (MEASURED - 2)]),
    figure("sealed to drawn, p50", percentile(delays, 50), "ms", null),
    figure("sealed to drawn, p99", percentile(delays, 99), "ms", ["at most", 15]),
    figure("sealed to drawn, longest", Math.max(...delays), "ms", null),
    figure("sealed to arrived in the browser, p99", percentile(arrivals, 99), "ms", null),
    figure(`frames a second, ${BOARDS} boards x 3 sweeps`, load.frames, "1/s", ["at least", 57]),
  ];
  if (load.browser !== null) {
    result.push(figure("all processes of the browser", load.browser, "% core", ["at most", 30]));
  }
  if (load.bare !== null) {
    result.push(figure("the same browser with one bare canvas", load.bare, "% core", null));
  }
  result.push(figure("boards, broker, gateway and this bench", load.gateway, "% core", null));
  return result;
}
