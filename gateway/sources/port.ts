/** A serial port that is kept open: boards are unplugged, plugged in again, and held by other programs. */
import { statSync } from "node:fs";
import type { Duplex } from "node:stream";
import type { SerialPort } from "serialport";
import { holdersOf } from "./holders.ts";

/** What is the matter with a port now. */
export type PortCondition = "open" | "absent" | "denied" | "held" | "unplugged" | "failed";

export interface PortReport {
  readonly path: string;
  readonly condition: PortCondition;
  /** What a person reads: what is so, and what to do. */
  readonly sentence: string;
}

export interface PortOptions {
  readonly path: string;
  /** Bits a second; a pty ignores it. */
  readonly baud: number;
  /** The port is open: bytes both ways until the stream closes. Called anew after every return. */
  readonly onOpen: (stream: Duplex) => void;
  /** Once for every change of condition. */
  readonly onReport: (report: PortReport) => void;
}

export interface KeptPort {
  /** Closes the port, or gives up opening it. Bounded. */
  close(): Promise<void>;
}

/** Waiting between two attempts to open, and between two looks whether an open one is still there, ms. */
const RETRY = 500;
/** How long closing waits for a driver that hangs, ms. */
const CLOSE_LIMIT = 500;

/** Opens it now, and again whenever it went away, until `close`. Never throws: what is wrong is reported. */
export function keepPort(options: PortOptions): KeptPort {
  const { path, baud } = options;
  let condition: PortCondition | null = null;
  let port: SerialPort | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const report = (next: PortCondition, sentence: string) => {
    // A port that was unplugged stays that until it is there again: "absent" says less.
    if (closed || next === condition || (condition === "unplugged" && next === "absent")) return;
    condition = next;
    options.onReport({ path, condition: next, sentence });
  };
  const again = () => {
    port = null;
    if (!closed) timer = setTimeout(open, RETRY);
  };
  const open = async () => {
    const { SerialPort } = await import("serialport");
    if (closed) return;
    const opening = new SerialPort({ path, baudRate: baud, autoOpen: false });
    port = opening;
    // What breaks an open port also closes it.
    opening.on("error", () => {});
    opening.open((error) => {
      if (error !== null) {
        const [next, sentence] = explain(path, error.message);
        report(next, sentence);
        again();
        return;
      }
      if (closed) {
        opening.close(() => {});
        return;
      }
      report("open", `${path}: open at ${baud} baud`);
      // serialport can miss a hangup, and then reads nothing for ever: the name in /dev tells what became of the device.
      const device = deviceOf(path);
      const looking = setInterval(() => {
        if (deviceOf(path) !== device) opening.close(() => {});
      }, RETRY);
      opening.once("close", () => {
        clearInterval(looking);
        report("unplugged", `${path}: unplugged; plug it in again, nothing on the board is lost meanwhile`);
        again();
      });
      options.onOpen(opening);
    });
  };
  void open();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      const open = port;
      if (!open?.isOpen) return;
      await new Promise<void>((resolve) => {
        setTimeout(resolve, CLOSE_LIMIT).unref();
        open.close(() => resolve());
      });
    },
  };
}

/** Number of the device behind a path; null: there is none, or this system has no such numbers. */
function deviceOf(path: string): number | null {
  try {
    return statSync(path).rdev;
  } catch {
    return null;
  }
}

/** What an error of opening means (errno names of open(2) and of serialport's lock). */
function explain(path: string, message: string): [PortCondition, string] {
  if (/no such file|ENOENT|ENXIO|no such device/i.test(message)) {
    return ["absent", `${path}: not there; is the board plugged in? "vitalwire ports" lists what is. Waiting for it`];
  }
  if (/permission denied|EACCES|EPERM/i.test(message)) {
    return [
      "denied",
      `${path}: no permission; add your user to the group that owns it (often "dialout": sudo usermod -aG dialout $USER, then log in again)`,
    ];
  }
  if (/lock|busy|EBUSY|EAGAIN|temporarily unavailable/i.test(message)) {
    const holders = holdersOf(path).map(({ pid, name }) => `${name} (pid ${pid})`);
    const who = holders.length === 0 ? "another program" : holders.join(", ");
    return ["held", `${path}: held by ${who}; close it there. Waiting for it`];
  }
  return ["failed", `${path}: cannot be opened: ${message}; is it a serial port? Trying again`];
}
