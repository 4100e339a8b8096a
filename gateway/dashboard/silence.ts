/** A sensor that says nothing while its board goes on. Pure. */
import { type Board, type State, VITAL_LIMIT } from "./board.ts";
import { type Role, VITALS } from "./scales.ts";
import { endOf } from "./wave.ts";
import { FLAGS } from "./words.ts";

/** Why nothing comes for a sweep while other things do, at `now`, ms since the epoch; null: something does, or nothing at all. */
export function silenceOf(board: Board, role: Role, now: number, state: State): string | null {
  if (state !== "live") return null;
  const newest = board.waves.get(role)?.newest;
  const since = newest === undefined ? 0 : endOf(newest);
  if (board.boardTime(now) - since < 1000 * (VITAL_LIMIT + board.schedule.period)) return null;
  // Both lights are of one sensor.
  const vital = board.channelOf(VITALS.find((one) => one.role === (role === "red" ? "infrared" : role))!.mdc);
  const flags = vital === null ? 0 : (board.vitals.get(vital.id)?.flags ?? 0);
  return flags & FLAGS.busFault ? "NO ANSWER" : "NO SAMPLES";
}
