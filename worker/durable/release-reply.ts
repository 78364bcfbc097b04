/**
 * The value that another object answered, without the hold on that object: an answer that is an object keeps the session open until
 * it is disposed of (workerd docs, "RPC lifecycle"), and with it both objects in memory, where they are billed.
 */
export function releaseReply<T extends object>(reply: T): T {
  const value = structuredClone(reply);
  if (isDisposable(reply)) reply[Symbol.dispose]();
  return value;
}

const isDisposable = (value: object): value is Disposable =>
  Symbol.dispose in value && typeof value[Symbol.dispose] === "function";
