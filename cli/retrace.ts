/** vitalwire retrace: a transcript's firmware once more, from what its board gave it; does it say the same? */
import { type Retraced, retraceNode } from "../simulator/transcript-node.ts";
import { transcriptLines } from "./transcript-files.ts";

interface RetraceOptions {
  readonly json?: boolean;
}

interface FileReport extends Retraced {
  readonly file: string;
  /** Of this machine, ms. */
  readonly took: number;
}

/** Exit code 1 where one is not the same to its end. */
export async function retrace(files: readonly string[], { json }: RetraceOptions): Promise<void> {
  const { stdout } = process;
  const reports = files.map((file): FileReport => {
    const began = performance.now();
    const report = { file, ...retraceNode(transcriptLines(file)), took: performance.now() - began };
    if (!json) stdout.write(`${sentence(report)}\n`);
    return report;
  });
  if (json) stdout.write(`${JSON.stringify({ files: reports.map(objectOf) })}\n`);
  if (reports.some(({ difference }) => difference !== null)) process.exitCode = 1;
}

/** What it was, then how far it is the same. */
function sentence({ file, kid, boot, messages, recorded, replayed, time, took, difference }: FileReport): string {
  const whose = kid === null ? "" : ` board ${kid} boot ${boot},`;
  const said = `${file}:${whose} ${messages} messages,`;
  if (difference === null) {
    const speed =
      time === null ? "" : ` (${(time / 1e6).toFixed(1)} s, ${Math.round(time / 1000 / took)} times as fast)`;
    return `${said} SHA-256 ${replayed}: identical to the recorded ones${speed}`;
  }
  const hashes = recorded === null ? [] : [`  recorded SHA-256 ${recorded}`, `  replayed SHA-256 ${replayed}`];
  return [`${said} DIFFERENT: ${difference.message}`, ...hashes].join("\n");
}

function objectOf({ file, kid, boot, messages, recorded, replayed, time, difference }: FileReport) {
  return {
    file,
    kid,
    boot,
    seconds: time === null ? null : time / 1e6,
    messages,
    recordedSha256: recorded,
    replayedSha256: replayed,
    identical: difference === null,
    ...(difference !== null && { line: difference.line, difference: difference.message }),
  };
}
