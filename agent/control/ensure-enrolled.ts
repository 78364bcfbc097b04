// Makes sure that this machine has a place in a control plane: the one it has, or a new one for a join token.
import type { MachineId } from "#schema/ids";
import type { EnrolmentFile } from "#schema/local/agent-files";
import type { AgentInfo } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { JoinTokenSecret } from "#schema/wire/enrolment";
import type { Clock } from "../system/clock.ts";
import type { Ed25519Key } from "../system/ed25519.ts";
import type { Http } from "../system/http.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import { type EnrolmentError, enrol } from "./enrol.ts";
import type { IdentityStore } from "./identity.ts";
import type { ListedMesh } from "./meshes-options.ts";
import type { ServerClock } from "./server-clock.ts";

export interface Credentials {
  /** The control plane's origin; null: the one that the machine is enrolled at. */
  readonly url: string | null;
  /** Only read when it is needed: it may be a file, or standard input. */
  readonly readToken: (signal: AbortSignal) => Promise<string | null>;
  /** Called when the machine is enrolled already. */
  readonly onTokenUnused?: () => Promise<void>;
}

export interface Enrolled {
  readonly key: Ed25519Key;
  /** Of a replacement that was begun. */
  readonly nextKey: Ed25519Key | null;
  readonly enrolment: EnrolmentFile;
  /** What the enrolment answered; null when the machine was enrolled before. */
  readonly firstMeshes: readonly ListedMesh[] | null;
}

interface Ports {
  readonly identity: IdentityStore;
  /** Behind the caller's back, as often as it takes. */
  readonly saveEnrolment: (enrolment: EnrolmentFile) => void;
  readonly http: Http;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly random: Random;
  readonly log: Logger;
  readonly agentInfo: AgentInfo;
  readonly hostname: string;
  readonly userAgent: string;
}

/** Rejects only when `signal` aborts. */
export async function ensureEnrolled(
  ports: Ports,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Result<Enrolled, EnrolmentError>> {
  const { identity, log } = ports;
  const stored = await guardState(async () => ok(await identity.readEnrolment()));
  if (!stored.ok) return stored;
  const { enrolment, isDamaged } = stored.value;
  if (enrolment !== null) {
    const keys = await guardState(() => readKeys(identity));
    if (!keys.ok) return keys;
    if (credentials.url !== null && credentials.url !== enrolment.controlPlaneUrl)
      return err(enrolledElsewhere(enrolment));
    await credentials.onTokenUnused?.();
    return ok({ ...keys.value, enrolment, firstMeshes: null });
  }
  if (isDamaged) log.error("identity.json is damaged; the same key and a join token bring this machine back");
  const token = await credentials.readToken(signal);
  signal.throwIfAborted();
  const missing = findMissing(credentials.url, token);
  if (credentials.url === null || token === null || missing !== null) return err(missing ?? NO_TOKEN);
  // Made only now: a start that could not enrol leaves nothing behind.
  const keys = await guardState(() => readKeys(identity));
  if (!keys.ok) return keys;
  const reply = await enrol({
    ...ports,
    key: keys.value.key,
    url: credentials.url,
    token,
    agent: ports.agentInfo,
    signal,
  });
  if (!reply.ok) return reply;
  signal.throwIfAborted();
  const { machineId, name, meshes } = reply.value;
  const fresh = { version: 1 as const, controlPlaneUrl: credentials.url, machineId, name };
  // The first tunnels do not wait for the disk.
  ports.saveEnrolment(fresh);
  log.info("enrolled", { machineId, name });
  return ok({ ...keys.value, enrolment: fresh, firstMeshes: meshes });
}

async function readKeys(identity: IdentityStore): Promise<Result<Pick<Enrolled, "key" | "nextKey">, EnrolmentError>> {
  const key = await identity.ensureKey();
  return key.ok ? ok({ key: key.value, nextKey: await identity.readNext(key.value) }) : key;
}

/** What the disk refuses, in a sentence. */
async function guardState<T>(work: () => Promise<Result<T, EnrolmentError>>): Promise<Result<T, EnrolmentError>> {
  try {
    return await work();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const remedy = /^(ENOSPC|EDQUOT)\b/.test(cause)
      ? "Free some space or choose another --state-dir"
      : "Choose a --state-dir that can be read and written";
    const message = `The identity can't be kept on disk (${cause}). ${remedy}, then start again.`;
    return err({ code: "state_unwritable", message });
  }
}

const NO_TOKEN: EnrolmentError = {
  code: "join_token_missing",
  message:
    "This machine is not enrolled yet and no join token was given. Make one in the control plane (POST /api/v1/join-tokens), and pass it in the file that --token-file or BECKET_TOKEN_FILE names, on standard input with --token-file -, or as BECKET_TOKEN.",
};

function findMissing(url: string | null, token: string | null): EnrolmentError | null {
  if (url === null) {
    return {
      code: "url_missing",
      message:
        "This machine is not enrolled yet and the control plane's URL is not known. Pass it with --url or BECKET_URL, like https://becket.example.com.",
    };
  }
  if (token === null) return NO_TOKEN;
  if (JoinTokenSecret.safeParse(token).success) return null;
  const message =
    "The join token is not one: it begins with bkj_ and has 43 more characters. Check that it was copied whole.";
  return { code: "join_token_invalid", message };
}

function enrolledElsewhere({ controlPlaneUrl, name, machineId }: EnrolmentFile & { readonly machineId: MachineId }) {
  return {
    code: "enrolled_elsewhere",
    message: `This machine is enrolled already: as ${name} (${machineId}) at ${controlPlaneUrl}. To go on there, leave --url and BECKET_URL out. To move it, run \`becket down --forget\` first, then start with the new URL and a join token.`,
  };
}
