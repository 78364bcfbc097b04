import { isWireVersionSupported, OLDEST_WIRE_VERSION, WIRE_VERSION } from "#schema/wire/version";
import type { Failure } from "../failure.ts";

/** Null when a hello's wire version is one of ours. */
export function checkWireVersion(version: number): Failure<"wire_version_unsupported"> | null {
  if (isWireVersionSupported(version)) return null;
  const detail = `wire version ${version} is not among ${OLDEST_WIRE_VERSION} to ${WIRE_VERSION}`;
  return { code: "wire_version_unsupported", detail };
}
