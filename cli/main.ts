#!/usr/bin/env node
/** The command line: one file a command, imported when it is asked for. */
import { Command, CommanderError, Option } from "commander";
import { evaluateCommand } from "./evaluate/commands.ts";
import { operationsHelp } from "./operations.ts";
import {
  alarms,
  anyNumber,
  automaticLedCurrent,
  calibration,
  count,
  encrypt,
  faults,
  json,
  keyFile,
  passphraseFile,
  seal,
  seconds,
  story,
  time,
} from "./options.ts";
import { UsageError } from "./usage.ts";

const FAILED = 1;
const BAD_USAGE = 2;

const program = new Command("vitalwire")
  .description("Open sensor runtime for medical-sensor boards. Not a medical device.")
  .exitOverride()
  .showHelpAfterError("(--help shows what there is)");

program
  .command("demo")
  .description("a simulated ward: chips, packets, broker, gateway, store, on this machine alone")
  .option("--boards <n>", "virtual boards", count(1), 3)
  .option("--record <wfdb>", "play signal 0 of this WFDB record (path without extension) as every board's ECG")
  .option("--seconds <s>", "end after this much time of the boards", seconds)
  .option("--seed <n>", "seed of patients, keys and noise", count(0), 1)
  .option("--store <file>", "keep what comes in this file; without it in memory")
  .option("--fast", "virtual time in lock step, as fast as it goes")
  .option("--headless", "no page, no status lines")
  .addOption(new Option("--noise <switch>", "the chips' noise").choices(["on", "off"]).default("on"))
  .option("--port <n>", "port of the page on this machine, 0 for any (default: 8080)", count(0))
  .addOption(faults())
  .option("--transcript <dir>", "write all that passes between each board and its firmware here, for retrace")
  .addOption(story())
  .addOption(alarms())
  .addOption(calibration())
  .addOption(automaticLedCurrent())
  .addOption(seal())
  .addOption(encrypt())
  .addOption(json())
  .action(async (options) => (await import("./demo.ts")).demo(options));

program
  .command("simulate")
  .description("one virtual board that other programs talk to as if it were a real one")
  .requiredOption("--out <where>", "pty, a FILE of packet lines, or mqtt[s]://HOST[:PORT][/SITE]")
  .option("--cards <dir>", "where site.pub and cards/ are written (default: beside the file, or here)")
  .option("--tls <dir>", "for mqtts://: folder with ca.crt, client.crt and client.key (docs/tls.md)")
  .option("--ecg <wfdb>", "play signal 0 of this WFDB record; without --seconds again and again")
  .option("--seed <n>", "seed of patient, key and noise", count(0), 1)
  .option("--seconds <s>", "end after this much time of the board", seconds)
  .option("--fast", "virtual time in lock step with the acks, as fast as it goes")
  .addOption(story())
  .addOption(alarms())
  .addOption(calibration())
  .addOption(automaticLedCurrent())
  .addOption(seal())
  .addOption(encrypt())
  .addOption(faults())
  .option("--unprovisioned <dir>", "a board without keys, which keeps DIR: it waits for enroll --port on its pty")
  .addOption(json())
  .action(async (options) => (await import("./simulate/simulate.ts")).simulate(options));

program
  .command("gateway")
  .description("receive, verify, store, acknowledge, and show a page")
  .option("--config <file>", "settings as YAML; options here stand above them")
  .option("--serial <port>", "a serial port; once for each", (port: string, all: string[] = []) => [...all, port])
  .option("--broker <where>", "embedded, or mqtt://HOST[:PORT] (default: embedded where no serial port is named)")
  .option("--store <file>", "where messages are kept (default: vitalwire.db)")
  .option("--cards <dir>", "folder with site.pub and cards/, watched (default: beside the store)")
  .option("--port <n>", "port of the page on this machine, 0 for any (default: 8080)", count(0))
  .option("--allow-test-keys", "enrol TEST-ONLY cards: for demonstrations")
  .addOption(passphraseFile())
  .addOption(keyFile())
  .addOption(json())
  .action(async (options) => (await import("./gateway/gateway.ts")).gateway(options));

program
  .command("monitor")
  .description("what a board says on a serial port, or what a capture holds, line by line")
  .argument("<source>", "a serial PORT, or a FILE: `~` lines with or without log text, or a CBOR sequence of messages")
  .option("--cards <dir>", "folder with site.pub and cards/ (default: beside the file, or here)")
  .option("--keys <dir>", "folder with keys/KID.psk: checks what only a tag proves, and opens what is encrypted")
  .addOption(passphraseFile())
  .addOption(keyFile())
  .option("--record <file>", "keep the bytes as they come; `monitor` and `verify` read them again")
  .option("--baud <n>", "bits a second (default: 115200)", count(300))
  .addOption(new Option("--json", "one JSON object a line on stdout, the rest on stderr"))
  .action(async (source, options) => (await import("./monitor/monitor.ts")).monitor(source, options));

program
  .command("retrace")
  .description("run a board's firmware once more from a transcript, without chips: the same messages, byte for byte?")
  .argument("<files...>", "transcripts, as demo --transcript writes them, or their lines")
  .addOption(json())
  .action(async (files, options) => (await import("./retrace.ts")).retrace(files, options));

program
  .command("ports")
  .description("serial ports: what sits on each, who holds it, and whether you may open it")
  .addOption(json())
  .action(async (options) => (await import("./ports.ts")).ports(options));

program
  .command("doctor")
  .description("what is right and wrong with a board, one verdict a line, and what to do; exit 1 where one is bad")
  .addOption(new Option("--board <name>", "which board").choices(["simulated"]).makeOptionMandatory())
  .option("--seed <n>", "seed of the simulated board's patient and noise", count(0), 1)
  .addOption(faults())
  .addOption(json())
  .action(async (options) => (await import("./doctor.ts")).doctor(options));

const sitePassphrase = () =>
  new Option("--site-passphrase-file <file>", "one line with the passphrase of the site's key, where it has one");

program
  .command("keygen")
  .description("make a key: of a site, a device, a gateway, or for releases of firmware")
  .option("--site <name>", "of a site: DIR/site.key and DIR/site.pub")
  .option("--device", "of a device: DIR/keys/KID.key")
  .option("--mac", "with --device: a pre-shared key too, wrapped, for mode mac")
  .option("--encrypt", "with --device: as --mac, for a board that encrypts; nothing else is taken of it")
  .option("--gateway", "of a gateway: DIR/gateway.key")
  .option("--release", "that signs firmware: DIR/release.key and DIR/release.pub")
  .requiredOption("--out <dir>", "folder of the site")
  .addOption(passphraseFile())
  .addOption(keyFile())
  .addOption(json())
  .action(async (options) => (await import("./keygen.ts")).keygen(options));

program
  .command("enroll")
  .description("the site signs a card for a device or a gateway; with --port a board gets its keys")
  .requiredOption("--cards <dir>", "folder of the site")
  .option("--key <kid>", "whose: a KID whose key lies in DIR/keys, or a key file (default: a new device)")
  .option("--public-key <hex>", "whose: a public key, where the private one lies elsewhere")
  .option("--gateway", "it is a gateway's key")
  .option("--rotate <kid>", "a new key for the device that has this one")
  .option("--mac", "a new device gets a pre-shared key too, for mode mac")
  .option("--encrypt", "as --mac, for a board that encrypts; nothing else is taken of it")
  .option("--mac-only", "as --mac, for a board that cannot sign: it is not given the other key")
  .option("--days <n>", "life of the card", count(1), 730)
  .option("--port <port>", "serial port of a board that waits for its keys")
  .option("--baud <n>", "bits a second of the port", count(300), 115_200)
  .addOption(sitePassphrase())
  .addOption(passphraseFile())
  .addOption(keyFile())
  .addOption(json())
  .action(async (options) => (await import("./enroll.ts")).enroll(options));

program
  .command("devices")
  .description("who is enrolled, in which modes, revoked or quarantined, when each was last heard, and what is missing")
  .option("--store <file>", "store of a gateway, running or not")
  .option("--cards <dir>", "folder of the site (default: beside the store, or here)")
  .option("--release <kid>", "let a device out of quarantine")
  .option("--days", "how much of each day is here, declared lost, or missing without a word")
  .addOption(json())
  .action(async (options) => (await import("./devices.ts")).devices(options));

program
  .command("announce")
  .description("sign a firmware image for a kind of board, to be sent to it with `command … firmware-announce`")
  .requiredOption("--key <file>", "release.key, as keygen --release makes it")
  .requiredOption("--image <file>", "what the board will run")
  .requiredOption("--version <n>", "higher than every one before", count(1))
  .requiredOption("--board <name>", "the kind of board, as it names itself")
  .requiredOption("--out <file>", "write the announcement here")
  .option("--passphrase-file <file>", "one line with the passphrase of the key, where it has one")
  .addOption(json())
  .action(async (options) => (await import("./announce.ts")).announce(options));

program
  .command("revoke")
  .description("the site takes a key back: a new list in DIR/revoked.crl")
  .requiredOption("--cards <dir>", "folder of the site")
  .requiredOption("--device <kid>", "the key, 16 hex digits")
  .requiredOption("--reason <word>", "stolen, lost, replaced, retired or unspecified")
  .addOption(sitePassphrase())
  .addOption(json())
  .action(async (options) => (await import("./revoke.ts")).revoke(options));

program
  .command("verify")
  .description("re-check every signature, column and gap of a store or a capture")
  .argument("[file]", "capture: `~` lines, or a CBOR sequence of messages")
  .option("--store <file>", "store to check")
  .option("--site <file>", "the site's public key (default: site.pub in the cards folder)")
  .option("--cards <dir>", "folder with site.pub and cards/ (default: beside the store or the file)")
  .option("--key <hex>", "one device's public key, instead of cards")
  .option("--keys <dir>", "folder with keys/KID.psk: checks what only a tag proves, and opens what is encrypted")
  .addOption(passphraseFile())
  .addOption(keyFile())
  .option("--both", "check every signature a second time, with tweetnacl")
  .addOption(json())
  .action(async (file, options) => (await import("./verify.ts")).verify(file, options));

program
  .command("command")
  .description("have the running gateway tell a device something, and say what became of it")
  .argument("<op>", "operation, by name or number")
  .argument("[arguments...]", "name=value each")
  .requiredOption("--store <file>", "store on which the gateway works")
  .requiredOption("--device <kid>", "the device, 16 hex digits")
  .option("--valid <s>", "how long the device may still obey it, up to 3600", seconds, 30)
  .option("--wait <s>", "how long its answer is waited for, up to 600", seconds, 10)
  .addOption(json())
  .addHelpText("after", operationsHelp)
  .action(async (op, args, options) => (await import("./command.ts")).command(op, args, options));

program
  .command("broker-config")
  .description("access rules and configuration for a broker outside, from the site's cards")
  .addOption(new Option("--broker <name>", "which broker").choices(["mosquitto"]).makeOptionMandatory())
  .requiredOption("--cards <dir>", "folder with site.pub, cards/ and revoked.crl")
  .requiredOption("--out <dir>", "folder to write into")
  .option("--site <name>", "third level of the MQTT topics", "demo")
  .option("--install <dir>", "where the files will lie on the broker's machine", "/etc/mosquitto/vitalwire")
  .option("--port <n>", "port of the broker", count(1), 8883)
  .option("--allow-test-keys", "take TEST-ONLY cards: for demonstrations")
  .addOption(json())
  .action(async (options) => (await import("./broker-config.ts")).brokerConfig(options));

program
  .command("export")
  .description("write what a device measured as files that others read")
  .requiredOption("--store <file>", "store to read")
  .requiredOption("--device <kid>", "the device, 16 hex digits")
  .option("--from <t>", "from this time on (RFC 3339 or ms since the epoch)", time)
  .option("--to <t>", "before this time", time)
  .addOption(new Option("--format <name>", "file format").choices(["wfdb", "csv"]).makeOptionMandatory())
  .requiredOption("--out <path>", "folder to write into")
  .addOption(json())
  .action(async (options) => (await import("./export.ts")).exportData(options));

program
  .command("calibrate")
  .description("fit a device's own SpO2 calibration to pairs of R and a reference; errors on what was left out")
  .option("--data <file>", "CSV of pairs: columns ratio, spo2, and subject or recording where there are several")
  .option("--store <file>", "instead of pairs: store with the device's red and infrared light")
  .option("--device <kid>", "the device in it, 16 hex digits")
  .option("--reference <file>", "CSV of a reference oximeter: columns time (RFC 3339 or ms), spo2")
  .option("--lag <s>", "how much later the reference shows the same blood (default: 0)", anyNumber)
  .option("--average <s>", "R is averaged over so long, 2 to 4 (default: 4)", anyNumber)
  .option("--id <name>", "the device's name: 1 to 32 of a-z, 0-9 and -; it travels with its data")
  .option("--out <file>", "write the calibration here, .yaml or .json")
  .option("--date <day>", "when the pairs were taken, to be written with it")
  .addOption(json())
  .action(async (options) => (await import("./calibrate/calibrate.ts")).calibrate(options));

program.addCommand(evaluateCommand());

program
  .command("bench")
  .description("measure this machine: figures of one run, each beside its limit")
  .argument(
    "[name]",
    "dsp (in a checkout; ESPRUINO_BIN for an interpreter's), latency, wire (VITALWIRE_DATA for recordings); without it all that can be run here",
  )
  .addOption(json())
  .action(async (name, options) => (await import("./bench/bench.ts")).bench(name, options));

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
      return;
    }
    process.stderr.write(`vitalwire: ${(error as Error).message}\n`);
    if (process.env.VITALWIRE_TRACE) process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = error instanceof UsageError ? BAD_USAGE : FAILED;
  }
}

await main();
