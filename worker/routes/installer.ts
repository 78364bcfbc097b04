// /install.sh: the installer, with this control plane's address in it. Whoever runs it is root, and the address may come from a Host header.
import { Hono } from "hono";
import { originOf } from "../auth/origin.ts";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import type { RequestEnv } from "./mount-operation.ts";

/** Made by scripts/installer/build-installer.ts. */
const TEMPLATE = "/install-script.txt";
const ORIGIN_PLACE = "@ORIGIN@";
/** Between single quotes of a shell it is a text and nothing else; URLs allow hosts that have quotes, `$` and `;` in them. */
const PLAIN_ORIGIN = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?$/;

export function createInstaller(services: Pick<Services, "assets" | "origin">): Hono<RequestEnv> {
  const installer = new Hono<RequestEnv>();
  installer.get("/install.sh", async ({ env, req }) => {
    const origin = originOf(services, req.raw);
    if (!PLAIN_ORIGIN.test(origin)) {
      const detail = "the header Host must name a host in letters, digits, dots and hyphens";
      return toProblemResponse({ code: "bad_request", detail }, env.requestId);
    }
    const template = await services.assets.fetch(new Request(new URL(TEMPLATE, req.url)));
    if (!template.ok)
      throw new Error(`the installer is not among the static files (${template.status}): npm run build`);
    const script = (await template.text()).replaceAll(ORIGIN_PLACE, () => origin);
    return new Response(script, {
      headers: { "content-type": "text/x-shellscript; charset=utf-8", "cache-control": "no-store" },
    });
  });
  installer.all("/install.sh", ({ env }) =>
    toProblemResponse({ code: "method_not_allowed" }, env.requestId, { allow: "GET" }),
  );
  return installer;
}
