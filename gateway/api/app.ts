/** What the page's server answers to plain requests: the one-time address, three files, and nothing else. */
import { type Context, Hono } from "hono";
import type { Access } from "./access.ts";
import type { Assets } from "./assets.ts";

/** On every answer, a refusal included. */
export const HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy":
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

export function createApp(access: Access, assets: () => Promise<Assets>): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    const answer = admit(c, access);
    if (answer === null) await next();
    else c.res = answer;
    for (const name in HEADERS) c.res.headers.set(name, HEADERS[name]);
  });
  app.get("*", async (c) => {
    const asset = (await assets()).get(c.req.path);
    if (asset === undefined) return c.notFound();
    return c.body(asset.body, 200, { "Content-Type": asset.type });
  });
  app.notFound((c) => c.text("There is nothing here: the page is at /.\n", 404));
  app.onError((error, c) => c.text(`${error.message}\n`, 500));
  return app;
}

/** The answer to who may not pass, or who comes with the one-time address; null: the rest may look. */
function admit(c: Context, access: Access): Response | null {
  const { method, path } = c.req;
  const host = c.req.header("host");
  const token = c.req.query("token");
  if (method === "GET" && path === "/" && token !== undefined) {
    const cookie = access.redeem(host, token);
    if (cookie !== null) return c.body(null, 303, { Location: "/", "Set-Cookie": cookie });
  }
  const denial = access.check(host, c.req.header("cookie"));
  if (denial !== null) return c.text(`${denial.sentence}\n`, denial.status);
  if (method === "GET" || method === "HEAD") return null;
  return c.text("This page is only read.\n", 405, { Allow: "GET, HEAD" });
}
