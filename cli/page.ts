/** The page of a gateway on this machine. */
import { randomBytes } from "node:crypto";
import type { Page } from "../gateway/api/page.ts";
import type { Gateway } from "../gateway/gateway.ts";

export interface PagePlace {
  readonly host?: string;
  readonly port: number;
  /** Somebody chose the port, so another one will not do. */
  readonly asked: boolean;
  /** Path of the gateway's store; absent: in memory. */
  readonly storePath?: string;
}

/** Opens it, on any free port where the usual one is taken and nobody asked for it. Throws Error where it cannot listen. */
export async function openPage(
  place: PagePlace,
  gateway: Gateway,
  sitePublicKey: Uint8Array,
  say: (line: string) => void,
): Promise<Page> {
  const { startPage } = await import("../gateway/api/page.ts");
  const start = (port: number) =>
    startPage({
      gateway,
      sitePublicKey,
      ...(place.host !== undefined && { host: place.host }),
      ...(place.storePath !== undefined && { storePath: place.storePath }),
      port,
      now: () => Date.now(),
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      onAddress: (url) => say(`page: ${url}\n      (lets one browser in; another address comes when it is used)`),
    });
  try {
    return await start(place.port);
  } catch (error) {
    if (place.asked) throw error;
    say(`${(error as Error).message}; taking another`);
    return start(0);
  }
}
