/** vitalwire ports: what sits on a serial port, read from a system laid out for the test. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type FoundPort, hintOf, listLinux, portLines } from "../../cli/ports.ts";

const root = mkdtempSync(join(tmpdir(), "vitalwire-ports-"));
afterAll(() => rmSync(root, { recursive: true }));
const put = (path: string, files: Record<string, string>) => {
  mkdirSync(join(root, path), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, path, name), `${text}\n`);
};
/** A terminal of the kernel's with the device behind it. */
const terminal = (name: string, device: string | null, files: Record<string, string> = {}) => {
  put(`sys/class/tty/${name}`, files);
  if (device !== null) symlinkSync(join(root, device), join(root, `sys/class/tty/${name}/device`));
};

test("a USB port is named with its numbers; consoles are no ports; a UART without hardware is counted and left out", () => {
  const usb = { idVendor: "10c4", idProduct: "ea60", manufacturer: "Silicon Labs", product: "CP2102", serial: "0001" };
  put("sys/devices/usb1/1-1", usb);
  put("sys/devices/usb1/1-1/1-1:1.0/ttyUSB0", {});
  put("sys/devices/platform/serial8250", {});
  terminal("ttyUSB0", "sys/devices/usb1/1-1/1-1:1.0/ttyUSB0");
  terminal("ttyS0", "sys/devices/platform/serial8250", { type: "4" });
  terminal("ttyS1", "sys/devices/platform/serial8250", { type: "0" });
  terminal("tty1", null);
  const none = { manufacturer: null, product: null, usb: null, serialNumber: null };
  expect(listLinux(root)).toEqual({
    ports: [
      { path: "/dev/ttyS0", ...none },
      {
        path: "/dev/ttyUSB0",
        manufacturer: "Silicon Labs",
        product: "CP2102",
        usb: "10c4:ea60",
        serialNumber: "0001",
      },
    ],
    leftOut: 1,
  });
});

test("a system that shows no terminals has no ports", () => {
  expect(listLinux(join(root, "absent"))).toEqual({ ports: [], leftOut: 0 });
});

test("a known bridge or board has a hint, an unknown product of a known vendor the vendor's", () => {
  expect(hintOf("10c4:ea60")).toMatch(/CP210x/);
  expect(hintOf("2341:0043")).toBe("Arduino Uno R3");
  expect(hintOf("239a:9999")).toMatch(/Adafruit/);
  expect(hintOf("ffff:0001")).toBe(null);
  expect(hintOf(null)).toBe(null);
});

const port: FoundPort = {
  path: "/dev/ttyUSB0",
  manufacturer: "Silicon Labs",
  product: "CP2102\x1b[2J",
  usb: "10c4:ea60",
  serialNumber: "0001",
  hint: "CP210x bridge",
  holders: [{ pid: 7, name: "minicom" }],
  access: false,
};

test("a person reads what it is, who holds it, and what to do without permission; a device's name steers no terminal", () => {
  expect(portLines({ ports: [port], leftOut: 31 }, null)).toEqual([
    "/dev/ttyUSB0  Silicon Labs CP2102\\x1b[2J  10c4:ea60  serial number 0001",
    "  CP210x bridge",
    "  held by minicom (pid 7): close it there first",
    '  no permission: add your user to the group that owns it (often "dialout")',
    "31 built-in ports without hardware not shown",
  ]);
  for (const line of portLines({ ports: [port], leftOut: 0 }, 30)) expect(line.length).toBeLessThanOrEqual(30);
});

test("where there is none, it says what to look at", () => {
  expect(portLines({ ports: [], leftOut: 0 }, null).join("\n")).toMatch(/cable.*driver.*WSL/s);
});
