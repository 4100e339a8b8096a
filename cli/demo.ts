/** vitalwire demo: a ward of virtual boards, end to end, with nothing else to install. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Accepted, DeviceAlarm } from "../gateway/receiver.ts";
import { kidText } from "../protocol/keys.ts";
import type { FaultEvent } from "../simulator/faults.ts";
import { reportOf } from "./demo-report.ts";
import { createDisplay } from "./display.ts";
import { faultWords, wardFaults, wardTruth } from "./fault-plan.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { writeCards } from "./keys.ts";
import { runPaced } from "./pace.ts";
import { openPage } from "./page.ts";
import { type PatientOptions, patientSettings } from "./patient-options.ts";
import { FIXED_EPOCH, refuseForeignSite } from "./site.ts";
import { createTranscriptFiles, type TranscriptFile } from "./transcript-files.ts";
import { createWard, type Ward } from "./ward.ts";

interface DemoOptions extends PatientOptions {
  readonly boards: number;
  readonly record?: string;
  readonly seconds?: number;
  readonly seed: number;
  readonly store?: string;
  readonly fast?: boolean;
  readonly headless?: boolean;
  readonly noise: "on" | "off";
  readonly seal: "sign" | "mac";
  readonly encrypt?: boolean;
  readonly port?: number;
  /** File with a plan of faults. */
  readonly faults?: string;
  /** Folder for a transcript of each board. */
  readonly transcript?: string;
  readonly json?: boolean;
}

/** What `--fast` runs without `--seconds`, s. */
const FAST_SECONDS = 60;
const PAGE_PORT = 8080;

export async function demo(options: DemoOptions): Promise<void> {
  const interrupt = listenForInterrupt();
  const seconds = options.seconds ?? (options.fast ? FAST_SECONDS : undefined);
  const recording =
    options.record === undefined
      ? undefined
      : (await import("./recording.ts")).loadRecording("--record", options.record, seconds);
  const patient = await patientSettings(options);
  const faults = options.faults === undefined ? undefined : wardFaults(options.faults, options.boards);
  if (options.store !== undefined) {
    mkdirSync(dirname(options.store), { recursive: true });
    refuseForeignSite(dirname(options.store));
  }
  const transcripts = options.transcript === undefined ? [] : createTranscriptFiles(options.transcript, options.boards);
  const stored: ((accepted: Accepted) => void)[] = [];
  let say: ((event: FaultEvent) => void) | null = null;
  const alarmed: ((alarm: DeviceAlarm) => void)[] = [];
  const ward = await createWard({
    boards: options.boards,
    seed: options.seed,
    noise: options.noise === "on",
    ...(recording && { recording }),
    ...patient,
    ...(faults && { faults, onFault: (event: FaultEvent) => say?.(event) }),
    seal: { mode: options.seal, encrypt: options.encrypt === true },
    ...(options.store !== undefined && { store: options.store }),
    ...(transcripts.length > 0 && { transcript: (index: number) => transcripts[index]!.write }),
    epoch: options.fast ? FIXED_EPOCH : Date.now(),
    onStored: (accepted) => {
      for (const listener of stored) listener(accepted);
    },
    onAlarm: (alarm) => {
      for (const listener of alarmed) listener(alarm);
    },
  });
  // On a busy machine the boards may not have said all: one whole file to hand over, all the same.
  interrupt.onLimit(() => ward.gateway.close());
  if (options.store !== undefined) {
    const cards = ward.boards.map(({ node, card }) => ({ kid: node.signer.kid, card }));
    writeCards(dirname(options.store), ward.sitePublicKey, [...cards, ward.gatewayCard]);
  }
  const display = createDisplay(
    ward,
    options.headless === true,
    options.json === true ? process.stderr : process.stdout,
  );
  stored.push(display.take);
  alarmed.push(({ kind, kid, sentence }) => display.say(`ALARM ${kind}: board ${kidText(kid)}: ${sentence}`));
  for (const event of wardTruth(ward)) display.say(faultWords(event));
  say = (event) => display.say(faultWords(event));
  if (patient.story) display.say(`patient of board 1 (${ward.boards[0]!.kid}): ${patient.story.words}`);
  // In lock step the boards run away from everybody who looks.
  const page =
    options.headless || options.fast
      ? null
      : await openPage(
          {
            port: options.port ?? PAGE_PORT,
            asked: options.port !== undefined,
            ...(options.store !== undefined && { storePath: options.store }),
          },
          ward.gateway,
          ward.sitePublicKey,
          display.say,
        );
  if (page !== null) {
    stored.push(page.stored);
    alarmed.push(page.alarm);
  }

  const end = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1e6;
  try {
    await ward.start();
    if (interrupt.came) return;
    if (options.fast) await ward.runLockStep(end, () => interrupt.came);
    else await runPaced(ward.clock, end, () => interrupt.came);
    await ward.stopBoards();
    display.end();
    if (options.json && !interrupt.came) process.stdout.write(`${JSON.stringify(reportOf(ward, options, seconds))}\n`);
  } finally {
    display.end();
    await page?.close();
    await ward.stop();
    closeTranscripts(ward, transcripts);
    if (interrupt.came) process.exit(INTERRUPTED);
  }
}

/** Throws Error where one could not be written to its end. */
function closeTranscripts({ boards }: Ward, files: readonly TranscriptFile[]): void {
  for (const [index, file] of files.entries()) {
    const { failed, messages } = boards[index]!.recorder!;
    if (failed !== null) throw new Error(`${file.path}: not written to its end: ${failed.message}`);
    file.close();
    const size = `${megabytes(file.bytes)} of lines in ${megabytes(file.fileBytes)}`;
    process.stderr.write(`${file.path}: ${messages} messages, ${size}\n`);
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
