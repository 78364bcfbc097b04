// Health checks: how a machine finds out whether it should announce a route or a VIP. The machine runs them itself.
import { z } from "zod";
import { MAX_CHECK_ARGUMENT_LENGTH, MAX_CHECK_ARGUMENTS, MAX_CHECK_TARGET_LENGTH } from "./limits.ts";

const count = (description: string, byDefault: number) =>
  z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(byDefault)
    .meta({ description, examples: [byDefault] });
const seconds = (description: string, { least, most, byDefault }: { least: number; most: number; byDefault: number }) =>
  z
    .number()
    .int()
    .min(least)
    .max(most)
    .default(byDefault)
    .meta({ description, examples: [byDefault] });

const timing = {
  intervalSeconds: seconds("From one check to the next.", { least: 1, most: 3_600, byDefault: 5 }),
  timeoutSeconds: seconds("A longer check has failed; at most the interval.", { least: 1, most: 60, byDefault: 3 }),
  healthyThreshold: count("Successes in a row before it is announced.", 2),
  unhealthyThreshold: count("Failures in a row before it is withdrawn.", 3),
  holdoffSeconds: seconds("How long to wait before the first check.", { least: 0, most: 3_600, byDefault: 0 }),
};

const HOST = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])`;
const HOST_PORT = new RegExp(`^(?:${HOST})?:(\\d{1,5})$`);
const HTTP_TARGET = new RegExp(`^(?:(https?)://(?=[^/:]))?(${HOST})?(?::(\\d{1,5}))?(/[\\x21-\\x7e]*)?$`);

const isPort = (text: string | undefined): boolean => {
  const port = Number(text);
  return port >= 1 && port <= 65_535;
};

const SocketTarget = z
  .string()
  .max(MAX_CHECK_TARGET_LENGTH)
  .refine((text) => isPort(HOST_PORT.exec(text)?.[1]), "must be :port or host:port, like :6443")
  .meta({
    description:
      "`:port` of the machine itself, or `host:port`. gRPC asks the standard health service (grpc.health.v1).",
    examples: [":6443"],
  });

const httpTarget = (scheme: "http" | "https") =>
  z
    .string()
    .max(MAX_CHECK_TARGET_LENGTH)
    .refine(
      (text) => isHttpTarget(text, scheme),
      `must be a path, :port/path, host:port/path or a URL of ${scheme}, like /healthz`,
    )
    .meta({
      description:
        "A path or `:port/path` of the machine itself, `host:port/path`, or a URL. An answer 2xx is a success.",
      examples: ["/healthz"],
    });

function isHttpTarget(text: string, wanted: "http" | "https"): boolean {
  const match = HTTP_TARGET.exec(text);
  if (match === null || text === "") return false;
  const [, scheme, host, port] = match;
  if (port !== undefined && !isPort(port)) return false;
  if (scheme !== undefined) return scheme === wanted && host !== undefined;
  // Without a port, "healthz" would be a host: who writes that means the path.
  return host === undefined || port !== undefined;
}

const Argv = z
  .array(
    z
      .string()
      .max(MAX_CHECK_ARGUMENT_LENGTH)
      .refine((text) => !text.includes("\0"), "must have no NUL"),
  )
  .min(1)
  .max(MAX_CHECK_ARGUMENTS)
  .refine(([program = ""]) => program.startsWith("/"), "must begin with the program's absolute path")
  .meta({
    description:
      "A program by its absolute path, and its arguments; no shell is used. It runs on the machine as root; exit code 0 is a success.",
    examples: [["/usr/bin/pg_isready", "-q"]],
  });

export const HealthCheck = z
  .discriminatedUnion("type", [
    z.object({
      type: z.enum(["tcp", "grpc", "grpcs"]).meta({ description: "Connects, or asks by gRPC.", examples: ["tcp"] }),
      target: SocketTarget,
      ...timing,
    }),
    z.object({
      type: z.literal("http").describe("Asks by HTTP."),
      target: httpTarget("http"),
      ...timing,
    }),
    z.object({
      type: z.literal("https").describe("Asks by HTTPS."),
      target: httpTarget("https"),
      ...timing,
    }),
    z.object({ type: z.literal("exec").describe("Runs a program."), target: Argv, ...timing }),
  ])
  .superRefine(({ timeoutSeconds, intervalSeconds }, context) => {
    if (timeoutSeconds <= intervalSeconds) return;
    context.addIssue({ code: "custom", path: ["timeoutSeconds"], message: "must be at most intervalSeconds" });
  })
  .meta({
    id: "HealthCheck",
    description: "A machine announces while its own check passes. Each machine checks for itself.",
    examples: [{ type: "tcp", target: ":6443" }],
  });
export type HealthCheck = z.infer<typeof HealthCheck>;
