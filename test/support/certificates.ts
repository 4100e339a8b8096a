/** Certificates for tests, made by openssl as docs/tls.md shows it: the page's own commands are run. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const page = readFileSync(fileURLToPath(new URL("../../docs/tls.md", import.meta.url)), "utf8");
/** Authority, broker, board, gateway. */
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);

export interface CertificateOptions {
  readonly board: string;
  readonly gateway: string;
  /** Instead of the page's P-256. */
  readonly ed25519?: boolean;
}

/** Runs the page's commands in `folder`, literally but for the two names. Gives the folder they make. */
export function makeCertificates(folder: string, { board, gateway, ed25519 }: CertificateOptions): string {
  if (blocks.length !== 4) throw new Error(`docs/tls.md: ${blocks.length} blocks of commands, not 4`);
  let script = blocks
    .join("")
    .replace(/^KID=.*$/m, `KID=${board}`)
    .replace(/^GATEWAY=.*$/m, `GATEWAY=${gateway}`);
  if (ed25519) script = script.replaceAll("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-algorithm ED25519");
  execFileSync("sh", ["-e", "-c", script], { cwd: folder, stdio: "pipe" });
  return join(folder, "tls");
}

/** One more certificate by the CA in `folder`: PEM texts. `extra` are options of `openssl x509`, such as a time of its own. */
export function oneMore(folder: string, name: string, ext = "client.ext", extra: readonly string[] = ["-days", "30"]) {
  const openssl = (...options: string[]) => execFileSync("openssl", options, { cwd: folder, stdio: "pipe" });
  openssl("genpkey", "-algorithm", "ED25519", "-out", "more.key");
  openssl("req", "-new", "-key", "more.key", "-subj", `/CN=${name}`, "-out", "more.csr");
  openssl(
    "x509",
    "-req",
    "-in",
    "more.csr",
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-extfile",
    ext,
    ...extra,
    "-out",
    "more.crt",
  );
  return texts(folder, "more.crt", "more.key");
}

/** PEM texts of a member. */
export function texts(folder: string, certificate: string, key: string) {
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return { ca: read("ca.crt"), certificate: read(certificate), key: read(key) };
}
