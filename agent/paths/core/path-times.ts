// The times that the path machine keeps, milliseconds. docs/paths.md has them as a table.
export const PATH_TIMES = {
  /** Sendings of a round: dense at first, because two NATs open only when both sides have sent. */
  roundOffsets: [0, 60, 150, 300, 500, 800, 1_200, 1_800, 2_500],
  roundEnds: 3_000,
  /** Between two triggered checks to one endpoint. */
  triggerPause: 20,
  /** After 1, 2, … rounds without an answer; the last one repeats. */
  roundPauses: [4_000, 10_000, 20_000, 40_000, 57_000],
  /** Where UDP was found to be blocked: nobody tells when that ends, so it is looked at now and then. */
  blockedPause: 600_000,
  /** Both sides learn of each other at about the same time: mostly nobody has to be asked to send. */
  punchAfter: 200,
  /** A relayed pair without traffic asks the peer this often in a row; then it goes on by itself, which costs nobody anything. */
  punchesWhenIdle: 3,
  /** Ordinary checks get this long before ports are guessed. */
  birthdayAfter: 250,
  birthdayEvery: 600_000,
  /** The same after the path that was found so has died. */
  birthdayAfterDeath: 30_000,
  /** The ports that the other side has opened are open for 20 s; guessing them takes 10. */
  guessWithin: 10_000,
  /** So the side that guesses begins later, and must not count its pauses longer than the one that leads. */
  guessLag: 15_000,
  /** While there is traffic, the direct path is checked this often, and faster when an answer is missing. */
  heartbeat: 1_500,
  heartbeatRetry: 500,
  /** Nobody answers for long: the search goes on in rounds, so this may be slow. */
  heartbeatSlow: 5_000,
  /** A handshake without an answer for this long is more than upkeep: somebody waits for the session. */
  handshakeAnswers: 1_500,
  /** Nobody sent or received for this long: no traffic. */
  activeFor: 5_000,
  /** WireGuard repeats a handshake every 5 s for 90 s: with longer pauses it is not one attempt. */
  sendingFor: 30_000,
  /** Doubtful: this many checks of the path without an answer, and nothing received for this long. The relay is made ready. */
  doubtAfterMissed: 2,
  doubtAfter: 900,
  /** Dead: this many, and for this long no answer, and nothing received for the other. */
  deadAfterMissed: 3,
  deadAfter: 3_000,
  silentFor: 2_000,
  /** The peer uses the relay: so it has left the direct path, or has not taken it yet. */
  peerOnRelayFor: 2_000,
  /** Where no checks can be made: WireGuard answers one-way traffic after 10 s (its keepalive timeout). */
  uncheckedSilentFor: 14_000,
  /** The same for an endpoint that nothing was ever received from: a handshake is answered at once. */
  guessSilentFor: 3_000,
  /** The relay is made ready this long before. */
  uncheckedDoubt: 2_000,
  /** Neither checks nor WireGuard are answered for this long (its sessions end then, REJECT_AFTER_TIME): nothing is there. */
  goneAfter: 180_000,
  /** After a death this many answers in a row, over at least the other time, make the path good again within the third. */
  answersAfterDeath: 3,
  answeringFor: 1_000,
  distrustFor: 60_000,
  /** An endpoint that is in use gets this long to answer before another one that answers takes its place. */
  incumbentAnswers: 300,
  /** The same against an endpoint that WireGuard went to by itself. */
  contestFor: 500,
  /** Packets under way may take WireGuard back to a path that was left: its endpoint is written anew this long after. */
  strayedAfter: [1_000, 2_500],
  /** WireGuard's endpoint is not written anew more often. */
  rewriteEvery: 500,
  /** After 1, 2, … relays that could not be had; the last one repeats. */
  relayPauses: [500, 5_000, 30_000, 300_000, 1_800_000, 14_400_000],
  /** With traffic waiting, no pause is longer; the second where the peer has no connection to the control plane. */
  relayPauseActive: 5_000,
  relayPauseOffline: 60_000,
  relayAnswer: 5_000,
  /** The peer does not come to the relay, with traffic waiting: it is invited again. */
  relayAlone: 4_000,
  /** The same when it was there and left: who changes networks is back sooner. */
  relayLeft: 1_000,
  /** Packets go into the relay and nothing comes out. */
  relayStale: 15_000,
  /** A relay that is not needed any more stays for packets under way. */
  relayLinger: 10_000,
  /** Without traffic for this long a pair of a large mesh is let go. */
  lazyIdle: 300_000,
  /** A pair of a large mesh does what the peer asked for, this long. */
  peerAskedFor: 30_000,
  /** An agent that was started anew needs a moment to reach its gateways again. */
  transitSettles: 3_000,
  transitRetry: 10_000,
  transitPauseActive: 60_000,
  transitPauseIdle: 14_400_000,
} as const;
