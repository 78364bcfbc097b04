// A clock that a benchmark moves: a day passes in seconds.
export const realNow = Date.now;
const clock = { ms: realNow() };

Date.now = () => clock.ms;

export const setVirtualTime = (ms: number): void => {
  clock.ms = ms;
};
