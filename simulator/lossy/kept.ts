/** What of a board survives its power: a storage of records, and where it has flash the log of its outbox. */
import type { Flash, Storage } from "../../boards/board.ts";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { createSimulatedFlash, PowerCut, type SimulatedFlash } from "../../boards/simulated-flash.ts";
import { flashRegion } from "../../firmware/flash-region.ts";
import { createFlashStorage } from "../../firmware/flash-storage.ts";
import type { LogSettings } from "../../firmware/outbox.ts";
import type { Random } from "../random.ts";

export interface Kept {
  /** null: its storage keeps records, and what waits is in RAM alone. */
  readonly flash: SimulatedFlash | null;
  /** Opened anew by each boot. May throw PowerCut. */
  open(events: KeptEvents): { readonly storage: Storage; readonly log: LogSettings | null };
}

export interface KeptEvents {
  /** The flash holds the board for so long, us. */
  readonly onBusy: (us: number) => void;
  /** The power went within an operation: whatever the firmware makes of its error, the board is dead. */
  readonly onCut: () => void;
}

/** A board without flash: a write of its storage is whole or absent by itself. */
export function keptInRam(): Kept {
  const storage = createMemoryStorage();
  return { flash: null, open: () => ({ storage, log: null }) };
}

export interface FlashOptions extends Omit<LogSettings, "flash"> {
  readonly random: Random;
  /** Bytes of each page; pages of the log. */
  readonly pageSize: number;
  readonly pages: number;
}

/** The same flash, which also tells who waits for it of a power cut. */
function told(flash: Flash, onCut: () => void): Flash {
  const during = <T>(operation: () => T): T => {
    try {
      return operation();
    } catch (error) {
      if (error instanceof PowerCut) onCut();
      throw error;
    }
  };
  return {
    pageSize: flash.pageSize,
    pages: flash.pages,
    read: (address, length) => during(() => flash.read(address, length)),
    write: (address, bytes) => during(() => flash.write(address, bytes)),
    erase: (page) => during(() => flash.erase(page)),
    sync: () => during(() => flash.sync()),
  };
}

/** Pages for the storage of records. */
const STORAGE_PAGES = 3;

/** Storage and log on one flash. */
export function keptInFlash({ random, pageSize, pages, ...settings }: FlashOptions): Kept {
  let hold = (_us: number) => {};
  const flash = createSimulatedFlash({
    pageSize,
    pages: STORAGE_PAGES + pages,
    spend: (us) => hold(us),
    random: random.uniform,
  });
  return {
    flash,
    open({ onBusy, onCut }) {
      hold = onBusy;
      const whole = told(flash, onCut);
      const storage = createFlashStorage(flashRegion(whole, 0, STORAGE_PAGES));
      return { storage, log: { ...settings, flash: flashRegion(whole, STORAGE_PAGES, pages) } };
    },
  };
}
