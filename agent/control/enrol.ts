// Exchanges a join token for a place in the control plane. Repeats as long as nothing was decided; the same key and token
// give the same machine, so an answer that got lost costs nothing.
import type { AgentInfo } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { AGENT_PATHS, EnrolmentReply, type EnrolmentRequest, toEnrolmentText } from "#schema/wire/enrolment";
import type { Clock } from "../system/clock.ts";
import type { Ed25519Key } from "../system/ed25519.ts";
import { type Http, isNetworkError } from "../system/http.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import { type ApiFailure, parseJson, toApiFailure, toNetworkFailure } from "./api-failure.ts";
import { toBackoffMs } from "./backoff.ts";
import { explainEnrolmentRefusal } from "./explain-enrolment.ts";
import type { ServerClock } from "./server-clock.ts";

export interface EnrolmentOptions {
  readonly url: string;
  readonly token: string;
  readonly key: Ed25519Key;
  readonly hostname: string;
  readonly agent: AgentInfo;
  readonly http: Http;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly random: Random;
  readonly log: Logger;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

/** `message` is for a person: what happened, why, and what to do. */
export interface EnrolmentError {
  readonly code: string;
  readonly message: string;
}

const BACKOFF = { firstMs: 500, capMs: 30_000 };
const TIMEOUT_MS = 15_000;
const FIRST_FAILURE =
  "the enrolment did not get through; it is tried again until it does or the agent is stopped. Is the URL right?";

/** Rejects only when `signal` aborts. */
export async function enrol(options: EnrolmentOptions): Promise<Result<EnrolmentReply, EnrolmentError>> {
  const { clock, random, log, signal, url } = options;
  log.info("enrolling", { url });
  for (let failures = 1; ; failures++) {
    const answer = await attempt(options);
    if (answer.ok) return answer;
    const failure = answer.error;
    if (!isWorthRepeating(failure)) return err(explainEnrolmentRefusal(failure, url));
    const waitMs = toBackoffMs(failures, random, BACKOFF, failure.code === "network" ? null : failure.retryAfterMs);
    const facts = { url, reason: failure.message, waitMs: Math.round(waitMs) };
    log.warn(failures === 1 ? FIRST_FAILURE : "the enrolment still does not get through", facts);
    await clock.sleep(waitMs, signal);
  }
}

async function attempt(options: EnrolmentOptions): Promise<Result<EnrolmentReply, ApiFailure>> {
  const { http, clock, serverClock, url, token, key, hostname, agent, userAgent, signal } = options;
  const body: EnrolmentRequest = {
    token,
    identityKey: key.publicKey,
    signature: key.sign(toEnrolmentText(token, key.publicKey)),
    hostname,
    agent,
  };
  const sentAt = clock.now();
  try {
    const reply = await http.request({
      method: "POST",
      url: `${url}${AGENT_PATHS.enrolments}`,
      headers: { "content-type": "application/json", "user-agent": userAgent },
      body: JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    serverClock.observe(reply.headers.date, sentAt);
    if (reply.status < 200 || reply.status >= 300) return err(toApiFailure(reply, serverClock.now()));
    const parsed = EnrolmentReply.safeParse(parseJson(reply.body));
    if (parsed.success) return ok(parsed.data);
    return err({
      code: "foreign",
      status: reply.status,
      message: "the answer is not one of a Becket control plane",
      retryAfterMs: null,
    });
  } catch (error) {
    if (isNetworkError(error)) return err(toNetworkFailure(error));
    throw error;
  }
}

function isWorthRepeating(failure: ApiFailure): boolean {
  if (failure.code === "network") return true;
  return failure.status >= 500 || failure.status === 429 || failure.status === 408;
}
