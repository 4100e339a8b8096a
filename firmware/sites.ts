/** Where a thermometer sits, and so which temperature it measures. Device side. */
import {
  MDC_TEMP,
  MDC_TEMP_AXILLA,
  MDC_TEMP_CORE,
  MDC_TEMP_EAR,
  MDC_TEMP_FINGER,
  MDC_TEMP_ORAL,
  MDC_TEMP_RECTUM,
  MDC_TEMP_SKIN,
  MDC_TEMP_TOE,
  MDC_TEMP_TYMPANUM,
} from "../protocol/messages.ts";

/**
 * "body": close to the core's, as a clinical thermometer takes it. "skin": some degrees less, and the room and the blood flow
 * make it another; never to be shown as a body temperature. "unknown": nobody said where, so it is neither.
 */
export interface SiteTemperature {
  /** ISO/IEEE 11073-10101. */
  readonly mdc: number;
  readonly kind: "body" | "skin" | "unknown";
}

const UNKNOWN: SiteTemperature = { mdc: MDC_TEMP, kind: "unknown" };
const SKIN: SiteTemperature = { mdc: MDC_TEMP_SKIN, kind: "skin" };
/**
 * By the site's name. The ear is the lobe, hence skin: so the Bluetooth thermometer's list of sites reads the same code ("ear
 * (usually earlobe)", GATT Specification Supplement, Temperature Type); who measures in the ear says tympanum.
 */
const SITES: { readonly [site: string]: SiteTemperature } = {
  axilla: { mdc: MDC_TEMP_AXILLA, kind: "body" },
  oral: { mdc: MDC_TEMP_ORAL, kind: "body" },
  rectum: { mdc: MDC_TEMP_RECTUM, kind: "body" },
  tympanum: { mdc: MDC_TEMP_TYMPANUM, kind: "body" },
  core: { mdc: MDC_TEMP_CORE, kind: "body" },
  ear: { mdc: MDC_TEMP_EAR, kind: "skin" },
  finger: { mdc: MDC_TEMP_FINGER, kind: "skin" },
  toe: { mdc: MDC_TEMP_TOE, kind: "skin" },
  chest: SKIN,
  forehead: SKIN,
  wrist: SKIN,
  arm: SKIN,
  back: SKIN,
  abdomen: SKIN,
  hand: SKIN,
  leg: SKIN,
  ankle: SKIN,
  foot: SKIN,
  neck: SKIN,
  skin: SKIN,
};

/** Which temperature a site has. A site that is not in the list is unknown: it is not taken for body or skin by guess. */
export function temperatureOf(site: string | undefined): SiteTemperature {
  if (site === undefined) return UNKNOWN;
  // SITES[site] alone would find "toString" too
  const names = Object.keys(SITES);
  return names.indexOf(site) >= 0 ? SITES[site] : UNKNOWN;
}

/** The sites that are known, for an error that says what there is. */
export function temperatureSites(): string[] {
  return Object.keys(SITES);
}
