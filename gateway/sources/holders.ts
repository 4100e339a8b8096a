/** Who has a device file open (Linux: proc(5), /proc/PID/fd). */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";

export interface Holder {
  readonly pid: number;
  readonly name: string;
}

const orElse = <T>(read: () => T, other: T): T => {
  try {
    return read();
  } catch {
    return other;
  }
};

/**
 * Other processes that have the file open, as far as this user may see them; none on systems without /proc. A process of
 * another user shows only to root.
 */
export function holdersOf(path: string): Holder[] {
  const target = orElse(() => realpathSync(path), path);
  const holders: Holder[] = [];
  for (const entry of orElse(() => readdirSync("/proc"), [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const descriptors = orElse(() => readdirSync(`/proc/${pid}/fd`), []);
    const holds = descriptors.some((fd) => orElse(() => readlinkSync(`/proc/${pid}/fd/${fd}`), "") === target);
    if (holds) holders.push({ pid, name: orElse(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim(), "a process") });
  }
  return holders;
}
