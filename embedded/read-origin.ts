/** The public origin, of the option before that of the environment. @param say takes what the operator should change */
export function readOrigin(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): string | undefined {
  // A unit gives an option that is empty where its variable is not set.
  const origin = option || env.BECKET_ORIGIN;
  if (origin) return origin;
  // Settings files of version 0.1.0 have it by the name that the unit gave it then.
  if (env.BECKET_ORIGIN_URL) say("becket: BECKET_ORIGIN_URL is BECKET_ORIGIN now; rename it");
  return env.BECKET_ORIGIN_URL || undefined;
}
