// What operators' commands are about. On its own, so that the agent's other commands need not read the whole API.
export const NOUNS = {
  mesh: "private networks",
  machine: "the hosts that enrolled; their peers, endpoints, routes and events",
  rollout: "upgrades of agents, a few machines at a time",
  member: "which machines are in a mesh",
  route: "networks behind machines",
  vip: "addresses that one of several machines holds",
  "policy-set": "rules for routes",
  token: "join tokens, with which machines enrol",
  "api-token": "with which scripts, and these commands, use the API",
  user: "people, and links that sign them in",
  session: "browsers that people are signed in with",
  audit: "who changed what",
  me: "who these commands are to the control plane",
} as const;
export type Noun = keyof typeof NOUNS;

export const isNoun = (word: string | undefined): word is Noun => word !== undefined && Object.hasOwn(NOUNS, word);
