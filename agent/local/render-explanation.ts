// What `becket explain` prints of one path. Pure.
import { NAT_WORDS } from "#schema/nat";
import type { PeerExplanation } from "#schema/path";
import { renderAge, renderTable } from "./render-table.ts";

const COLUMNS = ["ENDPOINT", "TYPE", "OUTCOME", "RTT", "LAST"].map((title) => ({ title }));

export function renderExplanation(path: PeerExplanation, nowMs: number): string {
  const { name, reason, localNat, peerNat, candidates } = path;
  const lines = [
    `${name}: ${toHeadline(path)}`,
    `  why      ${reason.message}`,
    `  here     ${localNat === null ? "NAT not known yet" : NAT_WORDS[localNat.mapping]}${toUdp(localNat)}`,
    `  there    ${peerNat === null ? "NAT not known yet" : NAT_WORDS[peerNat.mapping]}${toUdp(peerNat)}`,
    `  next     ${path.nextTryAt === null ? "nothing to try until something changes" : `tries again in ${toSpan(Date.parse(path.nextTryAt) - nowMs)}`}`,
  ];
  if (path.since !== null) lines.push(`  since    ${toSpan(nowMs - Date.parse(path.since))}`);
  if (candidates.length === 0) return [...lines, "  candidates  none: it has told no endpoint"].join("\n");
  const rows = candidates.map(({ endpoint, type, outcome, roundTripMs, lastTriedAt }) => [
    endpoint,
    type.replaceAll("_", "-"),
    outcome.replaceAll("_", " "),
    roundTripMs === null ? "" : `${Math.round(roundTripMs)} ms`,
    lastTriedAt === null ? "never tried" : `tried ${toSpan(nowMs - Date.parse(lastTriedAt))} ago`,
  ]);
  const table = renderTable(COLUMNS, rows);
  return [...lines, "", ...table.split("\n").map((line) => `  ${line}`)].join("\n");
}

function toHeadline({ path, endpoint, gatewayId, latencyMs, lossRatio, handshakeAgeSeconds }: PeerExplanation): string {
  const where = endpoint ?? gatewayId;
  const parts = [
    path === "none"
      ? "no path"
      : `${path}${where === null ? "" : ` ${path === "transit" ? "through" : "to"} ${where}`}`,
    ...(path === "transit" ? ["decrypted at the gateway"] : []),
    ...(latencyMs === null ? [] : [`${Math.round(latencyMs)} ms`]),
    ...(lossRatio === null || lossRatio === 0 ? [] : [`${Math.round(lossRatio * 100)} % lost`]),
    ...(handshakeAgeSeconds === null ? [] : [`handshake ${toSpan(handshakeAgeSeconds * 1_000)} ago`]),
  ];
  return parts.join(", ");
}

const toUdp = (nat: PeerExplanation["localNat"]): string => (nat?.isUdpOpen === false ? ", UDP blocked" : "");

const toSpan = (ms: number): string => renderAge(Math.max(0, Math.round(ms / 1_000)));
