/** What a board knows of the fingers in its lights and of its electrodes, and what of it events tell. Device side. */
import { FLAG_LEAD_OFF, FLAG_OFF_BODY } from "../drivers/driver.ts";
import { type ContactNews, type ContactState, contactFlags, createContactNews, leastContact } from "./contact.ts";
import type { Vitals } from "./vitals.ts";

export interface Contacts {
  /** The least good of the oximeters, as of the last vitals; null: there is none, or none is heard. */
  readonly contact: ContactState | null;
  /** Likewise of the ECGs' electrodes. */
  readonly electrodes: ContactState | null;
  /** The sensor begins anew, with other channels perhaps. */
  forget(sensor: number): void;
  /** Tells what is news, board clock, us; to be called after each reading of the vitals. */
  tell(now: number): void;
}

/** Of one sensor, with the place of its channel. */
interface Contact {
  readonly news: ContactNews;
  place: number;
}

const leastOf = (all: readonly Contact[]): ContactState | null => {
  let least: ContactState | null = null;
  for (let i = 0; i < all.length; i++) least = leastContact(least, all[i].news.state);
  return least;
};

/** Listens to the vitals of so many sensors. `onContact`: event 3 of the sensor's channel at `place`. */
export function createContacts(
  vitals: Vitals,
  sensors: number,
  onContact: (sensor: number, place: number, flags: number) => void,
): Contacts {
  const contacts: Contact[] = [];
  const electrodes: Contact[] = [];
  for (let s = 0; s < sensors; s++) {
    contacts.push({ news: createContactNews(), place: 0 });
    electrodes.push({ news: createContactNews(), place: 0 });
  }
  const note = (one: Contact, place: number, state: ContactState | null): void => {
    one.place = place;
    one.news.state = state;
  };
  vitals.onContact = (sensor, place, state) => note(contacts[sensor], place, state);
  vitals.onElectrodes = (sensor, place, state) => note(electrodes[sensor], place, state);
  const tell = (sensor: number, one: Contact, now: number, off: number): void => {
    const state = one.news.due(now);
    if (state !== null) onContact(sensor, one.place, state === "off" ? off : contactFlags(state));
  };
  return {
    get contact() {
      return leastOf(contacts);
    },
    get electrodes() {
      return leastOf(electrodes);
    },
    forget(sensor) {
      contacts[sensor].news.state = null;
      electrodes[sensor].news.state = null;
    },
    tell(now) {
      for (let s = 0; s < sensors; s++) {
        tell(s, contacts[s], now, FLAG_OFF_BODY);
        tell(s, electrodes[s], now, FLAG_LEAD_OFF);
      }
    },
  };
}
