// What a mesh tells those who watch it has one integer version, as the agents' wire has: fields and messages may be added without another.
//
// 1  2026-11-26  first version: welcome, changed, telemetry; watch

export const LIVE_VERSION = 1;
