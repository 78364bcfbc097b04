import { Generation } from "#schema/generation";
import type { Env } from "./env.ts";
import type { Logger } from "./log.ts";

/** Null: the state was never restored from a backup. */
export function readGeneration(
  { BECKET_GENERATION: text }: Pick<Env, "BECKET_GENERATION">,
  log: Logger,
): Generation | null {
  if (text === undefined || text === "") return null;
  const generation = Generation.safeParse(text);
  if (generation.success) return generation.data;
  log.error("BECKET_GENERATION is not valid", { reason: generation.error.issues[0]?.message });
  return null;
}
