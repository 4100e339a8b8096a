/** vitalwire ports: serial ports, what sits on each, who holds it, and whether this user may open it. */
import { accessSync, constants, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Holder, holdersOf } from "../gateway/sources/holders.ts";
import { cut, visible } from "./monitor/text.ts";

/** What is known of a port. */
export interface FoundPort {
  readonly path: string;
  readonly manufacturer: string | null;
  readonly product: string | null;
  /** USB vendor and product, "10c4:ea60". */
  readonly usb: string | null;
  readonly serialNumber: string | null;
  /** What such a bridge or board usually is. */
  readonly hint: string | null;
  readonly holders: readonly Holder[];
  /** Whether this user may read and write it; null: not to be known here. */
  readonly access: boolean | null;
}

export interface PortsReport {
  readonly ports: readonly FoundPort[];
  /** Built-in ports with no hardware behind them. */
  readonly leftOut: number;
}

/** A port as a system lists it. */
export type ListedPort = Pick<FoundPort, "path" | "manufacturer" | "product" | "usb" | "serialNumber">;

/** How long the system may take to list its ports, ms. */
const LIST_LIMIT = 3000;

/** By vendor:product, then by vendor (usb.ids, linux-usb.org). */
const HINTS: Readonly<Record<string, string>> = {
  "10c4:ea60": "CP210x bridge: many ESP32 boards",
  "1a86:7523": "CH340 bridge: many Arduino clones, ESP8266 and ESP32 boards",
  "1a86:55d4": "CH9102 bridge: newer ESP32 boards",
  "0403:6001": "FT232R bridge",
  "0403:6010": "FT2232 bridge: the second port is usually the UART",
  "0403:6015": "FT231X bridge",
  "067b:2303": "PL2303 bridge",
  "2341:0043": "Arduino Uno R3",
  "2341:0001": "Arduino Uno",
  "2341:0042": "Arduino Mega 2560 R3",
  "2341:8036": "Arduino Leonardo",
  "303a:1001": "Espressif ESP32-S2, -S3, -C3 …: the chip's own USB",
  "2e8a:0005": "Raspberry Pi Pico with MicroPython",
  "2e8a:000a": "Raspberry Pi Pico with its SDK's USB serial",
  "2e8a:000c": "Raspberry Pi debug probe",
  "0483:5740": "STM32 virtual COM port: Espruino boards among others",
  "0483:374b": "ST-LINK/V2-1: a Nucleo board",
};
const VENDORS: Readonly<Record<string, string>> = {
  "10c4": "Silicon Labs bridge",
  "1a86": "WCH bridge",
  "0403": "FTDI bridge",
  "067b": "Prolific bridge",
  "2341": "Arduino board",
  "2a03": "Arduino board",
  "303a": "Espressif board",
  "2e8a": "Raspberry Pi microcontroller board",
  "239a": "Adafruit board",
  "2886": "Seeed Studio board",
  "0d28": "micro:bit or another DAPLink board",
  "1366": "SEGGER J-Link: Nordic development kits",
};

/** What usually sits behind a USB vendor:product; null: not known. */
export function hintOf(usb: string | null): string | null {
  if (usb === null) return null;
  return HINTS[usb] ?? VENDORS[usb.slice(0, 4)] ?? null;
}

const orNull = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

/**
 * Linux without udev's tools: the kernel's own list. `root`: of the file system, so that a test may bring one.
 * Pseudo terminals are no ports; a built-in port whose `type` is 0, or that says "no hardware" in another way, is left out.
 */
export function listLinux(root = "/"): { ports: ListedPort[]; leftOut: number } {
  const classFolder = join(root, "sys/class/tty");
  const ports: ListedPort[] = [];
  let leftOut = 0;
  for (const name of (orNull(() => readdirSync(classFolder)) ?? []).sort()) {
    // A terminal of the console has no device behind it.
    const device = orNull(() => realpathSync(join(classFolder, name, "device")));
    if (device === null) continue;
    if (isAbsentUart(join(classFolder, name), device)) leftOut++;
    else ports.push({ path: `/dev/${name}`, ...usbFacts(device) });
  }
  return { ports, leftOut };
}

/** A UART of the 8250 family is announced for every place where one could be; `type` 0: nothing answers there. */
function isAbsentUart(folder: string, device: string): boolean {
  const type = orNull(() => readFileSync(join(folder, "type"), "utf8").trim());
  const driver = orNull(() => basename(readlinkSync(join(device, "driver"))));
  return type === "0" || (driver === "serial8250" && type === null);
}

/** Walks up from the interface to the USB device, which has the numbers. */
function usbFacts(device: string): Omit<ListedPort, "path"> {
  for (let folder = device, up = 0; up < 4; folder = dirname(folder), up++) {
    const read = (name: string) => orNull(() => readFileSync(join(folder, name), "utf8").trim());
    const vendor = read("idVendor");
    if (vendor === null) continue;
    return {
      manufacturer: read("manufacturer"),
      product: read("product"),
      usb: `${vendor}:${read("idProduct")}`,
      serialNumber: read("serial"),
    };
  }
  return { manufacturer: null, product: null, usb: null, serialNumber: null };
}

/** Other systems: what serialport lists. Bounded. */
async function listElsewhere(): Promise<{ ports: ListedPort[]; leftOut: number }> {
  const { SerialPort } = await import("serialport");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = `the system did not list its ports in ${LIST_LIMIT / 1000} s; unplug what hangs and try again`;
    timer = setTimeout(() => reject(new Error(text)), LIST_LIMIT);
  });
  const listed = await Promise.race([SerialPort.list(), late]).finally(() => clearTimeout(timer));
  const ports = listed.map(({ path, manufacturer, vendorId, productId, serialNumber, ...more }) => ({
    path,
    manufacturer: manufacturer ?? null,
    // Windows gives a name that its interface does not declare.
    product: (more as { friendlyName?: string }).friendlyName ?? null,
    usb: vendorId === undefined || productId === undefined ? null : `${vendorId}:${productId}`.toLowerCase(),
    serialNumber: serialNumber ?? null,
  }));
  return { ports, leftOut: 0 };
}

/** The ports of this machine. Throws Error where the system does not list them. */
export async function findPorts(): Promise<PortsReport> {
  // The kernel's list needs no program and knows more than udevadm's: the product's name, and what has no hardware.
  const { ports, leftOut } = process.platform === "linux" ? listLinux() : await listElsewhere();
  return { ports: ports.map(complete), leftOut };
}

function complete(port: ListedPort): FoundPort {
  const access =
    process.platform === "win32" ? null : orNull(() => accessSync(port.path, constants.R_OK | constants.W_OK)) !== null;
  return { ...port, hint: hintOf(port.usb), holders: holdersOf(port.path), access };
}

const NONE = [
  "no serial port found. Look at:",
  "  the cable: many carry power only; use one that is known to carry data",
  "  the driver: CH340 and CP210x bridges need one on Windows and macOS; on Linux: dmesg | tail",
  "  WSL: usbipd attach --wsl; a container: --device /dev/ttyUSB0; a virtual machine: hand the USB device over",
];

/** What a person reads; `width`: columns of the terminal, null: as long as it is. */
export function portLines({ ports, leftOut }: PortsReport, width: number | null): string[] {
  const lines = ports.length === 0 ? [...NONE] : [];
  for (const port of ports) {
    const { path, manufacturer, product, usb, serialNumber, hint, holders, access } = port;
    const what = [manufacturer, product].filter((text) => text !== null).join(" ");
    const numbers = [usb, serialNumber === null ? null : `serial number ${serialNumber}`].filter(
      (text) => text !== null,
    );
    lines.push(`${path}  ${[what, ...numbers].filter((text) => text !== "").join("  ")}`.trimEnd());
    if (hint !== null) lines.push(`  ${hint}`);
    for (const { pid, name } of holders) lines.push(`  held by ${name} (pid ${pid}): close it there first`);
    if (access === false) lines.push('  no permission: add your user to the group that owns it (often "dialout")');
  }
  if (leftOut > 0) lines.push(`${leftOut} built-in ${leftOut === 1 ? "port" : "ports"} without hardware not shown`);
  return lines.map(visible).map((line) => (width === null ? line : cut(line, width)));
}

export async function ports(options: { readonly json?: boolean }): Promise<void> {
  const report = await findPorts();
  const { stdout } = process;
  if (options.json) stdout.write(`${JSON.stringify(report)}\n`);
  else stdout.write(`${portLines(report, stdout.isTTY ? stdout.columns : null).join("\n")}\n`);
}
