// What a mesh tells those who watch it has one integer version, as the agents' wire has: fields and messages may be added without another.
//
// 1  2026-11-26  first version: welcome, changed, telemetry; watch
// 2  2026-11-26  changed and telemetry have a mark; watch names the newest one in seenMark, in place of a count in seen

export const LIVE_VERSION = 2;
