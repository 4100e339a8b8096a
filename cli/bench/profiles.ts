/**
 * Which profile of a node (its configuration's `profile`) a slower processor keeps up with. How much slower a board is than
 * the machine that was measured is an estimate, 10 to 75 times, until somebody measures it on silicon.
 */
import { type Figure, figure } from "./bench.ts";

/** ms a second of signal: of the vitals, of respiration besides, and of packing the waveforms, by codec. */
export interface Load {
  readonly vitals: number;
  readonly respiration: number;
  readonly packing: Readonly<Record<string, number>>;
}

/** Times slower than the machine of the figures. */
const FACTORS = [10, 20, 50];
/** Above it a board is refused; above half of it, it is warned about. */
const FULL = 100;

interface Profile {
  readonly name: string;
  readonly cost: number;
  /** What the board does no longer do, beside the profile before it. */
  readonly without: string;
}

/** From all to least, in the order in which they are tried. */
function profilesOf({ vitals, respiration, packing }: Load): Profile[] {
  const codecs = Object.entries(packing);
  return [
    ...codecs.map(([codec, cost], at) => ({
      name: `full, ${codec}`,
      cost: vitals + respiration + cost,
      without: at === 0 ? "" : `${codecs[at - 1]![0]} (packets are larger)`,
    })),
    { name: "vitals", cost: vitals, without: "waveforms and respiration" },
    ...codecs.map(([codec, cost]) => ({
      name: `raw, ${codec}`,
      cost,
      without: "vitals: the gateway has to find them in the waveforms",
    })),
  ];
}

const busy = (cost: number, factor: number) => (cost * factor) / 10;

/** Share of a processor's time, percent, for every profile and factor. */
export function profileFigures(load: Load, how: string): Figure[] {
  return profilesOf(load).flatMap(({ name, cost }) =>
    FACTORS.map((factor) => figure(`profile ${name}, x${factor}: busy${how}`, busy(cost, factor), "%", null)),
  );
}

/** One sentence a factor: what fits, and what had to be dropped for it. */
export function whatFits(load: Load): string[] {
  const profiles = profilesOf(load);
  return FACTORS.map((factor) => {
    const share = ({ cost }: Profile) => busy(cost, factor);
    const at = profiles.findIndex((profile) => share(profile) <= FULL);
    const board = `a processor ${factor} times slower`;
    const least = profiles.reduce((one, other) => (other.cost < one.cost ? other : one));
    if (at < 0) return `${board}: nothing fits, not even profile ${least.name} (${share(least).toFixed(0)} %)`;
    const fits = profiles[at]!;
    const dropped = at === 0 ? "" : `; it is without ${fits.without}`;
    const before = profiles.slice(0, at).map((profile) => `${profile.name} ${share(profile).toFixed(0)} %`);
    const refused = before.length === 0 ? "" : ` (too much: ${before.join("; ")})`;
    const warning = share(fits) > FULL / 2 ? ", more than half of its time" : "";
    return `${board}: profile ${fits.name} fits, ${share(fits).toFixed(0)} % busy${warning}${dropped}${refused}`;
  });
}
