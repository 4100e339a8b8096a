/** What a gateway is told: one YAML file, and the command line above it. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { readConfig } from "../config.ts";
import type { WrappingOptions } from "../keys/passphrase.ts";
import { DEFAULT_SITE } from "../site.ts";
import type { TlsFiles } from "../tls-files.ts";
import { UsageError } from "../usage.ts";

export interface GatewayOptions {
  readonly config?: string;
  readonly serial?: readonly string[];
  readonly broker?: string;
  readonly store?: string;
  readonly cards?: string;
  readonly port?: number;
  readonly allowTestKeys?: boolean;
  readonly passphraseFile?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
}

/** Where it listens; `plain`: beyond loopback without TLS. */
export interface EmbeddedBroker {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsFiles;
  readonly plain?: boolean;
}

export interface ExternalBroker {
  readonly url: string;
  readonly tls?: TlsFiles;
}

export interface Settings {
  readonly store: string;
  /** Folder with site.pub and cards/. */
  readonly cards: string;
  /** File of the gateway's own key. */
  readonly key: string;
  readonly serial: readonly { readonly path: string; readonly baud: number }[];
  /** null: no broker. */
  readonly broker: null | EmbeddedBroker | ExternalBroker;
  /** Third level of the MQTT topics. */
  readonly site: string;
  /** `asked`: somebody chose the port, so another one will not do. null: no page. */
  readonly page: null | { readonly host: string; readonly port: number; readonly asked: boolean };
  /** Are boards asked for their ticks? */
  readonly pings: boolean;
  readonly allowTestKeys: boolean;
  /** What opens the devices' pre-shared keys. */
  readonly wrapping: WrappingOptions;
}

const BAUD = 115_200;
const MQTT_PORT = 1883;
const MQTTS_PORT = 8883;
const PAGE_PORT = 8080;
const LOOPBACK = "127.0.0.1";

const port = z.int().min(0).max(65_535);
const listening = z.strictObject({ host: z.string().optional(), port: port.optional() });
const tlsFiles = { ca: z.string().optional(), certificate: z.string().optional(), key: z.string().optional() };
const schema = z.strictObject({
  store: z.string().optional(),
  cards: z.string().optional(),
  key: z.string().optional(),
  serial: z
    .array(
      z.union([z.string(), z.strictObject({ port: z.string(), baud: z.int().min(300).max(4_000_000).optional() })]),
    )
    .optional(),
  broker: z
    .union([
      z.string(),
      z.strictObject({ embedded: listening.extend({ ...tlsFiles, plain: z.boolean().optional() }) }),
      z.strictObject({ url: z.string(), ...tlsFiles }),
    ])
    .optional(),
  site: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "letters, digits, '_', '-' and '.', at most 64")
    .optional(),
  page: z.union([listening, z.literal(false)]).optional(),
  pings: z.boolean().optional(),
  allowTestKeys: z.boolean().optional(),
  passphraseFile: z.string().optional(),
  keyFile: z.string().optional(),
});

/** Throws UsageError, with the line of the file where it is the file's fault. */
export function readSettings(options: GatewayOptions): Settings {
  const file = options.config === undefined ? {} : readConfig(options.config, schema);
  const folder = options.config === undefined ? "." : dirname(options.config);
  /** Paths in the file are relative to the file; an address is no path. */
  const inFile = (path: string | undefined) =>
    path === undefined || /^\w+:\/\//.test(path) ? path : resolve(folder, path);
  const store = options.store ?? inFile(file.store) ?? "vitalwire.db";
  if (/^postgres(ql)?:/.test(store)) throw new UsageError(`--store ${store}: Postgres is not spoken yet; name a file`);
  const ports = (options.serial ?? file.serial ?? []).map((one) =>
    typeof one === "string" ? { path: one, baud: BAUD } : { path: one.port, baud: one.baud ?? BAUD },
  );
  const twice = ports.find(({ path }, index) => ports.findIndex((other) => other.path === path) !== index);
  if (twice !== undefined) throw new UsageError(`serial port ${twice.path} is named twice`);
  const page = file.page === false ? null : { host: file.page?.host ?? LOOPBACK, port: file.page?.port };
  const pagePort = options.port ?? page?.port;
  return {
    store,
    cards: options.cards ?? inFile(file.cards) ?? dirname(store),
    key: inFile(file.key) ?? resolve(dirname(store), "gateway.key"),
    serial: ports,
    broker: brokerOf(options.broker ?? file.broker, ports.length > 0, inFile),
    site: file.site ?? DEFAULT_SITE,
    page:
      page === null && options.port === undefined
        ? null
        : { host: page?.host ?? LOOPBACK, port: pagePort ?? PAGE_PORT, asked: pagePort !== undefined },
    pings: file.pings ?? true,
    allowTestKeys: options.allowTestKeys ?? file.allowTestKeys ?? false,
    wrapping: wrappingOf(options, { passphraseFile: inFile(file.passphraseFile), keyFile: inFile(file.keyFile) }),
  };
}

/** One that the command line names stands above both in the file. */
function wrappingOf(...named: readonly { passphraseFile?: string | undefined; keyFile?: string | undefined }[]) {
  for (const { passphraseFile, keyFile } of named) {
    if (passphraseFile === undefined && keyFile === undefined) continue;
    return { ...(passphraseFile !== undefined && { passphraseFile }), ...(keyFile !== undefined && { keyFile }) };
  }
  return {};
}

/** Without a word: an embedded one where there is no serial port to read. */
function brokerOf(
  asked: z.infer<typeof schema>["broker"],
  hasPorts: boolean,
  inFile: (path: string | undefined) => string | undefined,
): Settings["broker"] {
  if (asked === undefined) return hasPorts ? null : { host: LOOPBACK, port: MQTT_PORT };
  if (asked === "embedded") return { host: LOOPBACK, port: MQTT_PORT };
  if (typeof asked !== "string" && "embedded" in asked) {
    const { host = LOOPBACK, plain, port, ...named } = asked.embedded;
    const tls = filesOf(named, inFile);
    if (tls !== undefined && (tls.ca === undefined || tls.certificate === undefined || tls.key === undefined))
      throw new UsageError("broker.embedded: TLS takes ca, certificate and key, all three (docs/tls.md)");
    return {
      host,
      port: port ?? (tls === undefined ? MQTT_PORT : MQTTS_PORT),
      ...(tls && { tls }),
      ...(plain !== undefined && { plain }),
    };
  }
  const { url, ...named } = typeof asked === "string" ? { url: asked } : asked;
  const tls = filesOf(named, inFile);
  if (url.startsWith("nats:")) throw new UsageError(`broker ${url}: NATS is not spoken yet; use its MQTT port`);
  if (!/^(mqtts?|wss?):\/\//.test(url) || !URL.canParse(url))
    throw new UsageError(`broker "${url}": give embedded or mqtt://HOST[:PORT]`);
  if (tls !== undefined && !/^(mqtts|wss):/.test(url))
    throw new UsageError(`broker ${url}: certificates are for mqtts://HOST[:PORT]`);
  return { url, ...(tls && { tls }) };
}

/** undefined: none is named. */
function filesOf(named: TlsFiles, inFile: (path: string | undefined) => string | undefined): TlsFiles | undefined {
  if (named.ca === undefined && named.certificate === undefined && named.key === undefined) return undefined;
  return { ca: inFile(named.ca), certificate: inFile(named.certificate), key: inFile(named.key) };
}
