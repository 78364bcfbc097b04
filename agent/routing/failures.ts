// Why a mesh is not routed, in the words of the machine report. Pure.
import type { ConfigRefusal } from "../bird/bird-client.ts";
import { type Failure, toFailure } from "../reconcile/failures.ts";
import { isCommandError } from "../system/exec.ts";

const STEP = "bird.apply";

export function toRoutingFailure(error: unknown): Failure {
  const isMissing =
    isCommandError(error) &&
    error.argv[0] === "bird" &&
    error.exitCode === null &&
    error.signal === null &&
    !error.timedOut;
  if (!isMissing) return toFailure(STEP, error);
  const message =
    "The mesh has routes, and there is no program `bird` on this machine. Install BIRD, 2.0.12 or newer (Debian and Ubuntu: `apt install bird2`); its own service is not needed.";
  return { step: STEP, code: "bird_missing", message };
}

export const toRefusal = ({ code, message }: ConfigRefusal): Failure => ({
  step: STEP,
  code,
  message: `BIRD does not take the mesh's configuration and goes on with the one before: ${message}`.slice(0, 1_024),
});

export const toDeath = (livedMs: number): Failure => ({
  step: STEP,
  code: "bird_died",
  message: `BIRD ended by itself after ${Math.round(livedMs / 1_000)} s, again; it is started again in a while. Its log may say why.`,
});
