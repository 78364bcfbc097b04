// What `npm audit --json` says. Pure.
import { z } from "zod";

const SEVERE = ["high", "critical"];

const Report = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      severity: z.string(),
      range: z.string(),
      via: z.array(z.union([z.string(), z.object({ title: z.string(), url: z.string() })])),
    }),
  ),
});

/** `unanswered`: the registry, or the way to it, has no audit; the text is npm's own reason. */
export type Audit =
  | { readonly kind: "answered"; readonly problems: readonly string[] }
  | { readonly kind: "unanswered"; readonly reason: string };

export function readAudit({ stdout, stderr }: { stdout: string; stderr: string }): Audit {
  const report = Report.safeParse(parse(stdout));
  if (!report.success)
    return { kind: "unanswered", reason: toReason(stderr) || toReason(stdout) || "npm said nothing" };
  const problems = Object.entries(report.data.vulnerabilities)
    .filter(([, { severity }]) => SEVERE.includes(severity))
    .map(([name, { severity, range, via }]) => {
      const why = via.map((cause) => (typeof cause === "string" ? `by ${cause}` : `${cause.title} ${cause.url}`));
      return `${name} ${range}: ${severity}: ${why.join("; ")}`;
    });
  return { kind: "answered", problems };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // no answer, as far as anybody who asks is concerned
  }
}

const toReason = (text: string): string => text.trim().split("\n").slice(0, 3).join(" ").slice(0, 300);
