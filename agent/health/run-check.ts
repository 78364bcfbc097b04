// Runs one check once, and puts what it finds into words.
import type { HealthCheck } from "#schema/health-check";
import { type Argv, type Exec, isCommandError } from "../system/exec.ts";
import type { Probes } from "../system/probes/probes.ts";
import { toHttpQuestion, toSocketTarget } from "./check-target.ts";
import type { CheckResult } from "./duty-state.ts";

export type Finding = Pick<CheckResult, "isSuccess" | "text">;

export interface Attempt {
  readonly self: string;
  readonly timeoutMs: number;
  /** Aborts when the time is over, with the words for it. */
  readonly signal: AbortSignal;
}

/** Never rejects. */
export type RunCheck = (check: HealthCheck, attempt: Attempt) => Promise<Finding>;

const MAX_TEXT_LENGTH = 300;

export function createRunCheck({ exec, probes }: { exec: Exec; probes: Probes }): RunCheck {
  const run = (check: HealthCheck, attempt: Attempt): Promise<Finding> => {
    switch (check.type) {
      case "tcp":
        return connect(probes, check.target, attempt);
      case "http":
      case "https":
        return askHttp(probes, check, attempt);
      case "grpc":
      case "grpcs":
        return askGrpc(probes, check, attempt);
      case "exec":
        return execute(exec, check.target, attempt);
    }
  };
  return async (check, attempt) => {
    try {
      const { isSuccess, text } = await run(check, attempt);
      return { isSuccess, text: text.slice(0, MAX_TEXT_LENGTH) };
    } catch (error) {
      return { isSuccess: false, text: toText(error).slice(0, MAX_TEXT_LENGTH) };
    }
  };
}

async function connect(probes: Probes, text: string, { self, signal }: Attempt): Promise<Finding> {
  const target = toSocketTarget(text, self);
  await probes.connect(target, signal);
  return { isSuccess: true, text: `${target.host} port ${target.port} accepts connections` };
}

type HttpCheck = Extract<HealthCheck, { readonly type: "http" | "https" }>;

async function askHttp(probes: Probes, check: HttpCheck, { self, signal }: Attempt): Promise<Finding> {
  const question = toHttpQuestion(check, self);
  const status = await probes.askHttp(question, signal);
  return { isSuccess: status >= 200 && status < 300, text: `${question.authority} answered ${status}` };
}

/** https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto */
const SERVING_STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const [SERVING, OK, UNIMPLEMENTED] = [1, 0, 12];

type GrpcCheck = { readonly type: HealthCheck["type"]; readonly target: string };

async function askGrpc(probes: Probes, { type, target }: GrpcCheck, { self, signal }: Attempt): Promise<Finding> {
  const isTls = type === "grpcs";
  const { grpcStatus, servingStatus } = await probes.askGrpcHealth({ ...toSocketTarget(target, self), isTls }, signal);
  if (grpcStatus === UNIMPLEMENTED)
    return { isSuccess: false, text: "the server has no health service (grpc.health.v1)" };
  if (grpcStatus !== OK) return { isSuccess: false, text: `gRPC status ${grpcStatus ?? "missing"}` };
  if (servingStatus === null) return { isSuccess: false, text: "the answer is no HealthCheckResponse" };
  return {
    isSuccess: servingStatus === SERVING,
    text: `the server says ${SERVING_STATUSES[servingStatus] ?? `status ${servingStatus}`}`,
  };
}

async function execute(exec: Exec, argv: readonly string[], { timeoutMs, signal }: Attempt): Promise<Finding> {
  const [program = "", ...args] = argv;
  const call: Argv = [program, ...args];
  try {
    await exec.run(call, { timeoutMs, signal, killsGroup: true });
    return { isSuccess: true, text: `${program} exited with 0` };
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return { isSuccess: false, text: error.message };
  }
}

/** A name with several addresses fails with all their errors together, and no words of its own. */
function toText(error: unknown): string {
  const one: unknown = error instanceof AggregateError ? (error.errors.at(-1) ?? error) : error;
  return one instanceof Error ? one.message : String(one);
}
