// How often pages ask again while somebody looks and nothing tells them what changed (live/covered.ts says how often else). Presence is judged to
// 60 s; live pages make an agent measure.
export const LIVE_EVERY_MS = 2_000;
export const LIST_EVERY_MS = 5_000;
export const SLOW_EVERY_MS = 30_000;
