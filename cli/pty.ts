/** A pseudo-terminal: a serial port that other programs open, whose cable end is here. */
import { write } from "node:fs";
import { Duplex } from "node:stream";
import type { IPty } from "@lydell/node-pty";

export interface Pty {
  /** What the other program opens: "/dev/pts/3". */
  readonly path: string;
  readonly stream: Duplex;
  /** Takes the port away. */
  close(): void;
}

/** How long the helper may take to name the port, ms. */
const OPEN_LIMIT = 5000;
/** Waiting for a reader that reads nothing, ms. */
const RETRY = 20;

/**
 * Opens one in raw mode. A shell that sleeps holds the far end, so that it stays when nobody else has it open. Throws Error
 * where the system has no pseudo-terminals.
 */
export async function openPty(): Promise<Pty> {
  const { spawn } = await import("@lydell/node-pty");
  const holder = spawn("sh", ["-c", "stty raw -echo; tty; exec sleep infinity"], { encoding: null });
  const path = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Error(`no pseudo-terminal: ${why}; simulate to a FILE or mqtt:// instead`));
    const limit = setTimeout(() => fail(`nothing came in ${OPEN_LIMIT / 1000} s`), OPEN_LIMIT);
    let text = "";
    const named = holder.onData((data) => {
      text += String(data);
      if (!text.includes("\n")) return;
      clearTimeout(limit);
      named.dispose();
      if (text.startsWith("/dev/")) resolve(text.trim());
      else fail(JSON.stringify(text.slice(0, 80)));
    });
  });
  return { path, stream: createStream(holder), close: () => holder.kill("SIGKILL") };
}

function createStream(holder: IPty): Duplex {
  const { fd } = holder as IPty & { readonly fd: number };
  let timer: NodeJS.Timeout | undefined;
  const stream = new Duplex({
    read: () => holder.resume(),
    // node-pty's own write stops the whole process when nobody reads; the descriptor itself does not block.
    write(chunk: Buffer, _encoding, done) {
      const send = (from: number) => {
        write(fd, chunk, from, chunk.length - from, null, (error, count) => {
          if (error?.code === "EAGAIN" && !stream.destroyed) timer = setTimeout(send, RETRY, from);
          else if (error || from + count >= chunk.length) done(error);
          else send(from + count);
        });
      };
      send(0);
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
  // encoding null gives Buffers, whatever the type says.
  holder.onData((data) => {
    if (!stream.push(data)) holder.pause();
  });
  holder.onExit(() => stream.push(null));
  return stream;
}
