/** The socket to the gateway: opened again when it is lost, after 0.25 s, 0.5 s … 5 s. */

export type Condition = "connecting" | "open" | "lost" | "refused";

export interface ConnectionOptions {
  readonly onFrame: (bytes: Uint8Array) => void;
  /** "refused": the gateway runs, but does not know this browser (it was started anew). */
  readonly onCondition: (condition: Condition) => void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5000;
const UNAUTHORIZED = 401;
/** How long the question why may take, ms. */
const QUESTION = 4000;

/** Goes on until the page is left. */
export function connect({ onFrame, onCondition }: ConnectionOptions): void {
  let wait = FIRST_WAIT;
  const open = () => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/feed`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      wait = FIRST_WAIT;
      onCondition("open");
    };
    socket.onmessage = (event) => onFrame(new Uint8Array(event.data as ArrayBuffer));
    socket.onclose = async () => {
      onCondition("lost");
      // A WebSocket does not tell why it was turned away; a plain request does.
      if (await isRefused()) onCondition("refused");
      setTimeout(open, wait);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    };
  };
  onCondition("connecting");
  open();
}

async function isRefused(): Promise<boolean> {
  try {
    const answer = await fetch("/", { method: "HEAD", signal: AbortSignal.timeout(QUESTION) });
    return answer.status === UNAUTHORIZED;
  } catch {
    return false;
  }
}
