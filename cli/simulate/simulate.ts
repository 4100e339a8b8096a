/** vitalwire simulate: one virtual board that other programs talk to as if it were a real one. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createVirtualClock, type VirtualClock } from "../../boards/virtual-clock.ts";
import type { Link } from "../../firmware/link.ts";
import type { KeyedSigner } from "../../protocol/crypto.node.ts";
import { kidText } from "../../protocol/keys.ts";
import type { FaultEvent } from "../../simulator/faults.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createVirtualNode, type VirtualNode } from "../../simulator/node.ts";
import { type HostStorage, openHostStorage } from "../boot-counter.ts";
import { faultWords, readFaults } from "../fault-plan.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { writeCards } from "../keys.ts";
import { runPaced } from "../pace.ts";
import { type PatientOptions, patientSettings } from "../patient-options.ts";
import type { Pty } from "../pty.ts";
import { createSignal } from "../signal.ts";
import { DEFAULT_SITE, FIXED_EPOCH, refuseForeignSite, testCard, testSite } from "../site.ts";
import { clientFiles, readTls } from "../tls-files.ts";
import { UsageError } from "../usage.ts";
import { createCaptureLink } from "./capture-link.ts";
import { watchGateways } from "./trusted-gateways.ts";

export interface SimulateOptions extends PatientOptions {
  readonly out: string;
  readonly cards?: string;
  /** Folder with ca.crt, client.crt and client.key, for mqtts://. */
  readonly tls?: string;
  readonly ecg?: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly fast?: boolean;
  readonly seal: "sign" | "mac";
  readonly encrypt?: boolean;
  /** Folder of what a board keeps that is given its keys over the line. */
  readonly unprovisioned?: string;
  /** File with a plan of faults. */
  readonly faults?: string;
  readonly json?: boolean;
}

/** What `--fast` runs without `--seconds`, s. */
const FAST_SECONDS = 60;
/** Bytes that wait for a line that nobody reads. */
const LINE_QUEUE = 8192;
/** In lock step, how long a gateway may take to acknowledge, ms. */
const PATIENCE = 30_000;
/** After the end the board waits for its last acks, us of its own time; after an interrupt ms of the wall's. */
const LAST_ACKS = 6e6;
const GOODBYE = 600;

/** A board on a host notes so often that it is alive, ms. */
const MARK_EVERY = 10_000;

type CountingLink = Link & { readonly linkBytes: number };

export async function simulate(options: SimulateOptions): Promise<void> {
  const out = options.out === "pty" ? "pty" : /^mqtts?:\/\//.test(options.out) ? "mqtt" : "file";
  const folder = options.cards ?? (out === "file" ? dirname(options.out) : ".");
  const seconds = options.seconds ?? (options.fast ? FAST_SECONDS : undefined);
  const patient = await patientSettings(options);
  const plan =
    options.faults === undefined ? null : readFaults(options.faults, [{ line: out === "pty", broker: out === "mqtt" }]);
  if (options.unprovisioned === undefined) refuseForeignSite(folder);
  else if (out !== "pty" || options.fast || options.cards !== undefined)
    throw new UsageError(
      "--unprovisioned: keys come over a line, in real time: give --out pty, and no --fast or --cards",
    );
  mkdirSync(folder, { recursive: true });
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const interrupt = listenForInterrupt();
  const clock = createVirtualClock();
  const signal = createSignal();
  const recording =
    options.ecg === undefined
      ? undefined
      : (await import("../recording.ts")).loadRecording("--ecg", options.ecg, seconds);
  const recorder = testOnlySigner("capture");
  const pty: Pty | null = out === "pty" ? await (await import("../pty.ts")).openPty() : null;
  const given = pty === null || options.unprovisioned === undefined ? null : await keysFor(pty, options, interrupt);
  const gateways =
    given !== null
      ? { keys: given.gateways, stop() {} }
      : out === "file"
        ? { keys: [recorder], stop() {} }
        : watchGateways(folder, (kid) => say(`gateway ${kid}: its card is here, its acks count`));
  // What is the same whenever it runs may be the same boot; what differs every time may not.
  const repeatable = out === "file" && options.fast === true;
  const kept: HostStorage[] = given === null ? [] : [given.storage];
  const boot = (signer: KeyedSigner) => {
    if (repeatable) return 1;
    if (given !== null) return given.storage;
    kept.push(openHostStorage(join(folder, "boards"), kidText(signer.kid)));
    return kept[0]!;
  };
  const seal = { mode: options.seal, encrypt: options.encrypt === true };
  const { createMqttLink } = await import("../../firmware/transports/host/mqtt.ts");
  const { createSerialLink } = await import("../../firmware/transports/host/serial.ts");
  let link!: CountingLink;
  const node = createVirtualNode({
    clock,
    seed: options.seed,
    index: 0,
    noise: true,
    world: repeatable ? `fast ${seconds}` : "simulate",
    ...(recording && { recording }),
    ...patient,
    ...(plan && {
      faults: {
        plan,
        broker: out === "mqtt",
        ...(pty !== null && { line: (bytes: Uint8Array) => void pty.stream.write(bytes) }),
        onFault: (event: FaultEvent) => say(faultWords(event)),
      },
    }),
    gateways: gateways.keys,
    boot,
    ...(!repeatable && { entropy: randomBytes(16) }),
    seal,
    ...(!repeatable && { log: () => ({ flash: kept[0]!.flash, writeAfter: 0, markEvery: MARK_EVERY }) }),
    ...(given && { identity: given.identity, handlers: given.handlersFor(say) }),
    link(signer, psk) {
      if (pty !== null) link = createSerialLink(pty.stream, LINE_QUEUE);
      else if (out === "mqtt") link = createMqttLink(mqttOptions(options, signer));
      else link = createCaptureLink(options.out, clock, recorder, { kid: signer.kid, psk, seal });
      return telling(link, signal.notify);
    },
    onSettled: signal.notify,
    onFault: ({ message }) => say(message),
  });
  const kid = kidText(node.signer.kid);
  if (given === null) {
    await writeTestOnly(folder, node, seal.encrypt, repeatable ? FIXED_EPOCH : Date.now());
    say(
      `board ${kid}, boot ${node.boot}: a synthetic patient, a TEST-ONLY key; cards in ${folder}. Not a medical device.`,
    );
  } else say(`board ${kid}, boot ${node.boot}: a synthetic patient, keys of its own. Not a medical device.`);
  if (patient.story) say(`the patient: ${patient.story.words}`);
  if (pty !== null && given === null) namePort(pty, options);

  const end = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1e6;
  try {
    node.runtime.start();
    if (!options.fast) await runPaced(clock, end, () => interrupt.came);
    else await runLockStep(clock, node, end, () => interrupt.came, out === "file" ? null : signal);
    await stop(clock, node, interrupt);
    if (options.json && !interrupt.came) {
      process.stdout.write(`${JSON.stringify(report(node, link, options, pty?.path, seconds ?? clock.now / 1e6))}\n`);
    }
  } finally {
    gateways.stop();
    pty?.stream.destroy();
    pty?.close();
    for (const storage of kept) storage.release();
    if (interrupt.came) process.exit(INTERRUPTED);
  }
}

/** The same link: it tells when something was heard, or may be sent. */
function telling(link: CountingLink, notify: () => void): CountingLink {
  const open = link.open;
  link.open = (events, will) => {
    const told =
      <T>(event: (what: T) => void) =>
      (what: T) => {
        event(what);
        notify();
      };
    open({ ...events, onUp: told(events.onUp), onMessage: told(events.onMessage) }, will);
  };
  return link;
}

function namePort(pty: Pty, options: SimulateOptions): void {
  (options.json ? process.stderr : process.stdout).write(`${pty.path}\n`);
}

/** Waits until the board has its keys. An interrupt before that ends the process. */
async function keysFor(pty: Pty, options: SimulateOptions, interrupt: { readonly came: boolean }) {
  const { awaitKeys } = await import("./unprovisioned.ts");
  namePort(pty, options);
  try {
    const given = await awaitKeys(pty, options.unprovisioned!, () => interrupt.came);
    if (given !== null) return given;
  } catch (error) {
    pty.close();
    throw error;
  }
  pty.close();
  process.exit(INTERRUPTED);
}

/** The card of a TEST-ONLY board, and its pre-shared key where it has one, as files. */
async function writeTestOnly(
  folder: string,
  { signer, psk }: VirtualNode,
  encrypts: boolean,
  now: number,
): Promise<void> {
  writeCards(folder, testSite.publicKey, [{ kid: signer.kid, card: testCard(signer, "device", now) }]);
  if (psk === null) return;
  const { writePsk } = await import("../keys/psk-file.ts");
  const { testOnlyWrapping } = await import("../keys/wrapping.ts");
  writePsk(folder, { kid: signer.kid, psk, encrypts }, testOnlyWrapping());
}

/** The path of the address is the site; without one the usual. */
function mqttOptions({ out, tls }: SimulateOptions, signer: KeyedSigner) {
  const url = new URL(out);
  const kid = kidText(signer.kid);
  const site = url.pathname.replaceAll("/", "") || DEFAULT_SITE;
  url.pathname = "";
  return { url: url.href, site, kid, ...(tls !== undefined && { tls: readTls(clientFiles(tls), Date.now(), kid) }) };
}

/** The clock moves only when every message sent has been acknowledged; `signal` null: acks are events of the clock itself. */
async function runLockStep(
  clock: VirtualClock,
  node: VirtualNode,
  until: number,
  interrupted: () => boolean,
  signal: ReturnType<typeof createSignal> | null,
): Promise<void> {
  const { outbox } = node.runtime;
  const { faults } = node;
  /** What is not in flash yet has not been sent, what was damaged will be again: the clock has to move for it. */
  const outstanding = () =>
    faults?.isCut !== true &&
    outbox.waiting.some((one) => outbox.isSendable(one) && faults?.isLost(one.bytes) !== true);
  while (clock.nextAt <= until && !interrupted()) {
    clock.step();
    if (signal === null || !outstanding()) continue;
    if (!(await signal.until(() => !outstanding() || interrupted(), PATIENCE))) {
      throw new Error(
        `--fast: no gateway acknowledged seq ${outbox.waiting[0]?.seq ?? "?"} in ${PATIENCE / 1000} s; start one`,
      );
    }
  }
  if (!interrupted()) clock.runUntil(until);
}

/** Drains the chips and waits for the last acks, bounded. */
async function stop(clock: VirtualClock, node: VirtualNode, interrupt: { readonly came: boolean }): Promise<void> {
  let stopped = false;
  node.faults?.stop();
  node.runtime.stop(() => {
    stopped = true;
  });
  const limit = performance.now() + GOODBYE;
  const ended = () => stopped || (interrupt.came && performance.now() > limit);
  while (!node.runtime.drained && clock.step());
  await runPaced(clock, clock.now + LAST_ACKS, ended);
  if (node.runtime.drained) node.ended();
}

function report(
  node: VirtualNode,
  link: CountingLink,
  options: SimulateOptions,
  pty: string | undefined,
  seconds: number,
) {
  return {
    kid: kidText(node.signer.kid),
    boot: node.boot,
    seed: options.seed,
    seconds: Math.floor(seconds),
    out: pty ?? options.out,
    packets: { produced: node.runtime.produced, waiting: node.runtime.outbox.count },
    wireBytes: node.runtime.wireBytes,
    linkBytes: link.linkBytes,
    ...(node.faults && { faults: node.faults.truth }),
    channels: node.sources.map(({ chip, name, samples, digest }) => ({ chip, name, samples, sourceSha256: digest() })),
  };
}
