/** What a test needs that a machine may lack. Missing: one line that says so, and a skip; a failure where it is required. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const shared = (name: string) => fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));

/** Folder of the recorded signals (its README says where they come from). */
export const dataFolder = process.env.VITALWIRE_DATA ?? shared("data");
/** Folder of the published test vectors. */
export const vectorFolder = process.env.VITALWIRE_VECTORS ?? shared("vectors");
/** Folder of the collected facts, with test vectors of their own. */
export const factFolder = process.env.VITALWIRE_FACTS ?? shared("facts");
/** The real Espruino interpreter, where there is one. */
export const espruino = process.env.ESPRUINO_BIN;
/** A browser for the page. */
export const chromium = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
/** The Python that Debian's packages belong to; another may stand before it on the PATH. */
export const python = "/usr/bin/python3";

const present = {
  recordings: () => existsSync(`${dataFolder}/mitdb/101.dat`),
  bidmc: () => existsSync(`${dataFolder}/bidmc/bidmc_01.csv.gz`),
  phone: () => existsSync(`${dataFolder}/oximetry-phone/100001.gt.csv.gz`),
  facts: () => existsSync(`${factFolder}/temperature_vectors.json`),
  vectors: () => existsSync(`${vectorFolder}/cbor/appendix_a.json`),
  espruino: () => espruino !== undefined && existsSync(espruino),
  chromium: () => existsSync(chromium),
  socat: () => existsSync("/usr/bin/socat"),
  mosquitto: () => existsSync("/usr/sbin/mosquitto"),
  python: () => spawnSync(python, ["-c", "import cbor2, cryptography"]).status === 0,
  openssl: () => existsSync("/usr/bin/openssl") && existsSync("/usr/bin/xxd"),
};

const hint = {
  recordings: `no recordings at ${dataFolder} (set VITALWIRE_DATA)`,
  bidmc: `no BIDMC recordings at ${dataFolder}/bidmc (set VITALWIRE_DATA)`,
  phone: `no phone recordings at ${dataFolder}/oximetry-phone (set VITALWIRE_DATA)`,
  facts: `no collected facts at ${factFolder} (set VITALWIRE_FACTS)`,
  vectors: `no published vectors at ${vectorFolder} (set VITALWIRE_VECTORS)`,
  espruino: "no Espruino interpreter (set ESPRUINO_BIN)",
  chromium: `no browser at ${chromium} (Debian: chromium; or set CHROMIUM_BIN)`,
  socat: "no socat (Debian: socat)",
  mosquitto: "no mosquitto (Debian: mosquitto)",
  python: `no ${python} with cbor2 and cryptography (Debian: python3-cbor2, python3-cryptography)`,
  openssl: "no openssl, or no xxd (Debian: openssl, xxd)",
};

/** Needs that CI must meet are named in VITALWIRE_REQUIRE, comma-separated. */
const required = (process.env.VITALWIRE_REQUIRE ?? "").split(",").filter((word) => word !== "");

/**
 * For `test.skipIf(lacks("recordings"))`: true where it is missing. Says in one line what is missing.
 * Throws Error where VITALWIRE_REQUIRE names it: there a skip is a failure.
 */
export function lacks(need: keyof typeof present): boolean {
  if (present[need]()) return false;
  if (required.includes(need)) throw new Error(`required but missing: ${hint[need]}`);
  console.log(`skipped: ${hint[need]}`);
  return true;
}
