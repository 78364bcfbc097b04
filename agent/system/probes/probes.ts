// Questions that a health check asks a service: whether it accepts a connection, and what it answers. Never through a proxy, each on a
// connection of its own, which is closed when the answer is there.
//
// Certificates are not verified: a check asks whether the service answers, mostly by an address, which no certificate names. Nothing secret
// is sent.
import { askGrpcHealth, type GrpcHealth } from "./grpc-health.ts";
import { askHttp, type HttpQuestion } from "./http-status.ts";
import { connectTcp } from "./tcp.ts";

export interface SocketTarget {
  readonly host: string;
  readonly port: number;
}

/** Each rejects with an Error in words, or with the signal's reason when aborted. */
export interface Probes {
  /** Resolves when the connection is there. */
  connect(target: SocketTarget, signal: AbortSignal): Promise<void>;
  /** The status of the answer; redirections are not followed. */
  askHttp(question: HttpQuestion, signal: AbortSignal): Promise<number>;
  /** What grpc.health.v1.Health/Check says of the server as a whole. */
  askGrpcHealth(target: SocketTarget & { readonly isTls: boolean }, signal: AbortSignal): Promise<GrpcHealth>;
}

export const createProbes = (): Probes => ({ connect: connectTcp, askHttp, askGrpcHealth });
