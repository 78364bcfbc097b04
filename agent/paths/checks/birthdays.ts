// Whose turn it is to guess ports. Hundreds of sockets, or of packets a second, are polite once: small routers have tables of some thousand
// entries for all behind them. So a machine does it for one peer at a time, whatever the mesh; the others wait in order of asking.

export interface Birthdays {
  /** Begins soon, never within this call. Asking twice is asking once. */
  ask(party: BirthdayParty): void;
  /** Its turn has ended, or is not wanted any more. */
  leave(party: BirthdayParty): void;
}

export interface BirthdayParty {
  /** Its turn has come. False: it is of no use any more, and the next one's. */
  begin(): boolean;
}

export function createBirthdays(): Birthdays {
  const waiting = new Set<BirthdayParty>();
  let current: BirthdayParty | null = null;
  let isDue = false;

  /** A mesh that stops leaves with all its pairs in one go: none of them begins in between. */
  function schedule(): void {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      beginNext();
    });
  }

  function beginNext(): void {
    for (const party of waiting) {
      if (current !== null) return;
      waiting.delete(party);
      current = party;
      if (!party.begin() && current === party) current = null;
    }
  }

  return {
    ask(party) {
      if (party === current) return;
      waiting.add(party);
      schedule();
    },
    leave(party) {
      waiting.delete(party);
      if (party === current) current = null;
      schedule();
    },
  };
}
