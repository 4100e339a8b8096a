/** The broker of a running gateway: its own, or somebody's; boards come and go, and who is refused is told. */
import { isLoopback, startBroker } from "../../gateway/broker.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { attachMqtt, type MqttSourceOptions } from "../../gateway/sources/mqtt.ts";
import type { Signer } from "../../protocol/cose.ts";
import { fromHex, kidText } from "../../protocol/keys.ts";
import { readTls } from "../tls-files.ts";
import { createRefusalLog } from "./refusal-log.ts";
import type { EmbeddedBroker, ExternalBroker } from "./settings.ts";

/** Between two looks at who may still be there, and two summaries of who was refused, ms. */
const REVIEW = 1000;
const SUMMARY = 60_000;

export interface OpenBrokerOptions {
  readonly settings: EmbeddedBroker | ExternalBroker;
  /** Third level of the topics. */
  readonly site: string;
  readonly gateway: Gateway;
  /** The gateway's own key. */
  readonly signer: Signer;
  /** Changes of the connection to the broker. */
  readonly tell: (condition: "open" | "lost", sentence: string) => void;
  readonly say: (line: string) => void;
}

/** Gives what closes it. Throws Error where the port is taken, or a certificate or key will not do. */
export async function openBroker(options: OpenBrokerOptions): Promise<() => Promise<void>> {
  const { settings, site, gateway, tell } = options;
  const { signer } = options;
  const clientId = `gw-${kidText(signer.kid)}`;
  const source = { site, clientId, state: { signer, now: Date.now }, onReport: tell };
  if ("url" in settings) {
    const { protocol, host, hostname } = new URL(settings.url);
    if (/^(mqtt|ws):$/.test(protocol) && !isLoopback(hostname))
      options.say(
        `broker ${host}: without TLS: who is on the way reads what boards send; mqtts:// as docs/tls.md shows`,
      );
    const tls = settings.tls && { tls: readTls(settings.tls, Date.now(), clientId) };
    const { close } = await attachMqtt(gateway, { ...source, url: settings.url, ...tls });
    return close;
  }
  const { url, close } = await openEmbedded(settings, options, clientId);
  const { close: detach } = await attachMqtt(gateway, { ...source, url });
  return async () => {
    await detach();
    await close();
  };
}

async function openEmbedded(
  { tls, ...where }: EmbeddedBroker,
  { site, gateway: { devices }, say }: OpenBrokerOptions,
  gatewayId: string,
): Promise<{ url: MqttSourceOptions["url"]; close: () => Promise<void> }> {
  const refusals = createRefusalLog((sentence) => say(`broker: ${sentence}`));
  const broker = await startBroker({
    ...where,
    site,
    gatewayId,
    ...(tls && { tls: readTls(tls, Date.now()) }),
    enrolled: (kid) => devices.get(fromHex(kid)) !== undefined,
    revoked: (kid) => devices.revocation(fromHex(kid)) !== undefined,
    onRefused: refusals.add,
  });
  say(`broker: listening on ${broker.url}${tls === undefined ? "" : ", for boards with a certificate"}`);
  const timers = [setInterval(() => broker.review(), REVIEW), setInterval(() => refusals.summarize(), SUMMARY)];
  return {
    url: () => broker.connect(),
    close() {
      for (const timer of timers) clearInterval(timer);
      return broker.close();
    },
  };
}
