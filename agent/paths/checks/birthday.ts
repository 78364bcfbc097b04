// Meets a peer through a hard NAT by the birthday paradox: the side behind it opens many ports towards the other, which guesses one of them.
// 256 open ports of 64,512 are hit by 174 guesses in half of the cases, by 1,024 in 98 of 100. It does so in its turn only (birthdays.ts).
import { type Endpoint, renderEndpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import type { Lane } from "../../stun/packet-rules.ts";
import type { Clock } from "../../system/clock.ts";
import type { Random } from "../../system/random.ts";
import type { UdpSocket, UdpSockets } from "../../system/udp.ts";
import type { BirthdayParty, Birthdays } from "./birthdays.ts";
import type { Checker } from "./checker.ts";

export interface Birthday {
  /** Asks for a turn. */
  ask(): void;
  /** Within `onTurn` only, as guessPorts. */
  openPorts(remote: Endpoint): void;
  guessPorts(address: string): void;
  /** Found, or not needed any more: the turn is the next one's. What carries traffic stays. */
  end(): void;
  /** Also gives up the hold on the port that carries traffic. The lane stays, for WireGuard. */
  stop(): void;
  /** As stop, when the peer is one no more: its lane goes too. */
  leave(): void;
}

export interface BirthdayOptions {
  readonly peerId: MachineId;
  readonly wireguardPort: number;
  readonly udp: UdpSockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly checker: Checker;
  readonly birthdays: Birthdays;
  /** The turn has come: to open ports, to guess them, or to pass it on by doing neither. */
  readonly onTurn: () => void;
  /** Sends from WireGuard's port. */
  readonly probe: (packet: Buffer, to: Endpoint) => void;
  readonly addLane: (lane: Lane) => Promise<void>;
  readonly dropLane: (lane: Lane) => void;
  /** The peer can be reached from the lane that was just made. */
  readonly onLane: (remote: Endpoint) => void;
}

/** A router's table has some thousand entries for all behind it: more would be impolite, and this machine does it for one peer at a time. */
const OPEN_PORTS = 256;
const MAX_GUESSES = 2_048;
const GUESSES_PER_TICK = 5;
const TICK_MS = 25;
/** NATs take ports from here up (RFC 4787 section 4.2.2: the well-known ones stay apart). */
const FIRST_PORT = 1_024;
const PORT_COUNT = 65_536 - FIRST_PORT;
/** The guesses last 10.2 s, and begin up to 10 s later (`guessWithin`); an open port without an answer is forgotten by most NATs after 30 s. */
const OPEN_FOR_MS = 20_000;

export function createBirthday(options: BirthdayOptions): Birthday {
  const { peerId, clock, checker, udp, wireguardPort } = options;
  let sockets: UdpSocket[] = [];
  /** Holds the lane's port, so that no other program gets it. */
  let holder: { readonly socket: UdpSocket; readonly lane: Lane } | null = null;
  let attempt = 0;
  let isRunning = false;
  let cancelTimer = () => {};
  const party: BirthdayParty = {
    begin() {
      options.onTurn();
      return isRunning;
    },
  };

  function closeSockets(): void {
    for (const socket of sockets) if (socket !== holder?.socket) socket.close();
    sockets = [];
  }
  function halt(): void {
    attempt++;
    isRunning = false;
    cancelTimer();
    closeSockets();
  }
  function end(): void {
    halt();
    options.birthdays.leave(party);
  }
  function leaveLane(): void {
    if (holder === null) return;
    options.dropLane(holder.lane);
    holder.socket.close();
    holder = null;
  }

  async function open(remote: Endpoint, current: number): Promise<void> {
    cancelTimer = clock.setTimer(OPEN_FOR_MS, end);
    for (let count = 0; count < OPEN_PORTS && attempt === current; count++) {
      const socket = await udp.open({ address: "0.0.0.0" });
      if (attempt !== current) return socket.close();
      sockets.push(socket);
      const transmit = (packet: Buffer) => socket.send(packet, remote);
      socket.listen((packet, from) => {
        const incoming = { from, reply: (answer: Buffer) => socket.send(answer, from) };
        checker.receive(packet, incoming).then((sender) => {
          if (sender === peerId && attempt === current) take(socket, from);
        });
      });
      await checker.send({ peerId, endpoint: remote, isNominated: false, transmit, isSilent: true });
    }
  }

  /** From here on WireGuard itself uses this port towards the peer. */
  function take(socket: UdpSocket, remote: Endpoint): void {
    leaveLane();
    const lane = { wireguardPort, localPort: socket.port, remote };
    holder = { socket, lane };
    end();
    options.addLane(lane).then(() => options.onLane(remote));
  }

  function guess(address: string, current: number): void {
    const ports = pickPorts(MAX_GUESSES, options.random);
    let next = 0;
    const tick = () => {
      if (attempt !== current) return;
      if (next >= ports.length) return end();
      for (const port of ports.slice(next, next + GUESSES_PER_TICK)) {
        const endpoint = renderEndpoint({ address, port });
        checker.send({ peerId, endpoint, isNominated: false, transmit: (packet) => options.probe(packet, endpoint) });
      }
      next += GUESSES_PER_TICK;
      cancelTimer = clock.setTimer(TICK_MS, tick);
    };
    tick();
  }

  return {
    ask: () => options.birthdays.ask(party),
    openPorts(remote) {
      halt();
      isRunning = true;
      const current = attempt;
      // The system has no more sockets.
      open(remote, current).catch(() => {
        if (attempt === current) end();
      });
    },
    guessPorts(address) {
      halt();
      isRunning = true;
      guess(address, attempt);
    },
    end,
    stop() {
      end();
      holder?.socket.close();
    },
    leave() {
      end();
      leaveLane();
    },
  };
}

/** Ports in random order, none twice: the first steps of a Fisher-Yates shuffle. */
export function pickPorts(count: number, random: Random): number[] {
  const moved = new Map<number, number>();
  const ports: number[] = [];
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(random() * (PORT_COUNT - index));
    ports.push(FIRST_PORT + (moved.get(other) ?? other));
    moved.set(other, moved.get(index) ?? index);
  }
  return ports;
}
