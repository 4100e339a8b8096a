/** TLS of the embedded broker: every client shows a certificate of the site's authority, and is who that says. */
import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";

/** PEM texts. */
export interface Credentials {
  /** Certificates of the authorities that are believed; absent: those that the system believes. */
  readonly ca?: string;
  /** Our own certificate, with those between it and the authority behind it, and its private key. */
  readonly certificate?: string;
  readonly key?: string;
}

/** What is offered and accepted, on both sides. */
export const LOWEST_TLS = "TLSv1.2";
/** How long a handshake may take, ms. */
const HANDSHAKE = 10_000;

const OTHER_AUTHORITY = "its certificate is not by this broker's certificate authority";
const WORDS: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "it shows no certificate",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS: mqtts:// is spoken here, not mqtt://",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS: mqtts:// is spoken here, not mqtt://",
  ERR_SSL_HTTP_REQUEST: "it does not speak TLS: mqtts:// is spoken here, not http://",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it speaks no TLS from 1.2 on",
  CERT_HAS_EXPIRED: "its certificate has expired: make it a new one",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: are both clocks right?",
  INVALID_PURPOSE: "its certificate is not for a client (extendedKeyUsage clientAuth)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: OTHER_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: OTHER_AUTHORITY,
  CERT_SIGNATURE_FAILURE: OTHER_AUTHORITY,
};

/** Common name of the certificate that the other end has proven to hold; "" where it has none, or more than one. */
function identityOf(socket: TLSSocket): string {
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : "";
}

/** `onFault` gets the address and what is wrong. Throws Error where the texts are no certificate, or no key of it. */
export function createTlsServer(
  credentials: Credentials,
  onConnection: (socket: TLSSocket, identity: string) => void,
  onFault: (address: string, sentence: string) => void,
): Server {
  const { ca, certificate, key } = credentials;
  // Without the first, whoever has any authority's certificate would be let in.
  if (ca === undefined || certificate === undefined || key === undefined)
    throw new Error("broker: TLS takes ca, certificate and key, all three (docs/tls.md)");
  const server = createServer(
    {
      ca,
      cert: certificate,
      key,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: LOWEST_TLS,
      handshakeTimeout: HANDSHAKE,
      // No session is resumed: every connection proves its certificate again.
      secureOptions: constants.SSL_OP_NO_TICKET,
      noDelay: true,
    },
    (socket) => onConnection(socket, identityOf(socket)),
  );
  // When a handshake has failed, Node no longer knows with whom.
  const addresses = new WeakMap<object, string>();
  server.on("connection", (raw: Socket) => {
    if (raw.remoteAddress !== undefined) addresses.set(raw, raw.remoteAddress);
  });
  server.on("tlsClientError", (error, socket) => {
    const code = String(socket.authorizationError ?? (error as NodeJS.ErrnoException).code ?? error.message);
    // Gone before it had said anything: a port scan, or a client that did not believe this broker's certificate.
    const sentence =
      code === "ECONNRESET" ? "it went away during the handshake; does it trust this broker's CA?" : code;
    const raw = (socket as { _parent?: Socket })._parent;
    onFault((raw && addresses.get(raw)) ?? "an address that is gone", WORDS[code] ?? sentence);
  });
  return server;
}
