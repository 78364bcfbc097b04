// Scenarios that are run by name, not by `npm test`, and why. docs/testing.md says more.

export const LONG_SCENARIOS: Readonly<Record<string, string>> = {
  installer: "its first run makes a Debian, which takes a minute and Debian's mirror",
  openrc: "as installer",
  "control-plane-as-a-service": "as installer",
  faults: "takes minutes",
  proxies: "installs Debian's Caddy and nginx",
  "keys-are-replaced": "waits for sessions, and for a machine that is away: about two minutes",
};
