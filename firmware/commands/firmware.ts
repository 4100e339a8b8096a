/**
 * What a board takes for a newer firmware (PROTOCOL.md section 5): announced by the release key, for this board, with a version
 * above all that it has had. Fetching and starting the image is the board's own. Device side.
 */
import type { Storage } from "../../boards/board.ts";
import { decode, encode } from "../../protocol/cbor.ts";
import type { Crypto } from "../../protocol/cose.ts";
import { decodeFirmware, type Firmware } from "../../protocol/firmware-object.ts";
import { STATUS_DONE, STATUS_REFUSED } from "../../protocol/messages.ts";
import type { CommandHandlers, Done } from "./host.ts";

export interface AnnouncementOptions {
  readonly storage: Storage;
  readonly crypto: Crypto;
  /** Ed25519, 32 bytes; only what it signed is taken. */
  readonly releaseKey: Uint8Array;
  /** As `Board.model`. */
  readonly model: string;
  /** Of the firmware that runs. */
  readonly version: number;
  /** Fetches the image, checks its size and digest, puts it in place; then a status. */
  readonly install: (firmware: Firmware, done: Done) => void;
}

const NAME = "firmware";

/** The highest version that was ever installed; throws Error where the storage holds none that can be read: no way back by damage. */
const highest = (options: AnnouncementOptions): number => {
  const bytes = options.storage.read(NAME);
  if (bytes === undefined) return options.version;
  const stored = decode(bytes);
  if (typeof stored !== "number") throw new Error("the stored firmware version is no number; enrol the board anew");
  return Math.max(stored, options.version);
};

/** The handler of op 9. A version is stored when it is installed, so that a failed attempt can be repeated. */
export function createAnnouncements(options: AnnouncementOptions): NonNullable<CommandHandlers["firmware"]> {
  return (object, done) => {
    let firmware: Firmware;
    try {
      firmware = decodeFirmware(object, options.releaseKey, options.crypto);
    } catch (_error) {
      done(STATUS_REFUSED);
      return;
    }
    if (firmware.board !== options.model || firmware.version <= highest(options)) {
      done(STATUS_REFUSED);
      return;
    }
    options.install(firmware, (status) => {
      if (status === STATUS_DONE) options.storage.write(NAME, encode(firmware.version));
      done(status);
    });
  };
}
