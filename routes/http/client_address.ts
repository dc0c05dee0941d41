/**
 * The address of the client: the socket's, or the one that a trusted proxy reports. Must not believe any other report:
 * a client can write anything into X-Forwarded-For (S70, V11, V45).
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import type { Auth } from "../../auth/auth.ts";
import type { Exchange } from "./answers.ts";

type Address = ReturnType<typeof ipaddr.process>;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** An IPv6 address in brackets or an IPv4 address, each with or without a port, as some proxies write them. */
const WITH_PORT = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/;

const networksOf = new WeakMap<readonly string[], Network[]>();

/**
 * The client's address in one spelling; undefined when the socket has none. Behind a trusted proxy X-Forwarded-For is
 * read from right to left, since only what trusted proxies appended is true. The first address that is not a trusted
 * proxy is the client's. When an entry cannot be read, the result is the socket's address.
 */
export function clientAddress({ config }: Pick<Auth, "config">, c: Exchange): string | undefined {
  const remote = c.env?.remoteAddr;
  const socket = remote && "hostname" in remote ? remote.hostname : undefined;
  const { trustedProxies } = config;
  if (socket === undefined || trustedProxies.length === 0 || !isTrusted(trustedProxies, read(socket))) return socket;
  const forwarded = c.req.header("x-forwarded-for")?.split(",") ?? [];
  for (const part of forwarded.reverse()) {
    const address = read(part.trim());
    if (!address) return socket;
    if (!isTrusted(trustedProxies, address)) return address.toString();
  }
  return socket;
}

/** Undefined for text that is no address, or that other programs read differently, such as 010.0.0.1 (V35). */
function read(text: string): Address | undefined {
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? [];
  const bare = bracketed ?? dotted ?? text;
  const isPlain = bracketed === undefined && ipaddr.IPv4.isValidFourPartDecimal(bare);
  if (!isPlain && !ipaddr.IPv6.isValid(bare)) return undefined;
  // An IPv4-mapped IPv6 address is the IPv4 address (V10).
  return ipaddr.process(bare);
}

function isTrusted(trustedProxies: readonly string[], address: Address | undefined): boolean {
  let networks = networksOf.get(trustedProxies);
  if (!networks) networksOf.set(trustedProxies, networks = trustedProxies.map(network));
  return address !== undefined &&
    networks.some(([base, length]) =>
      base.kind() === address.kind() && (address as ipaddr.IPv4).match(base as ipaddr.IPv4, length)
    );
}

/** Turns `::ffff:10.0.0.0/104` into 10.0.0.0/8, because addresses are compared in their IPv4 form. */
function network(text: string): Network {
  const [base, length] = ipaddr.parseCIDR(text);
  if (base.kind() === "ipv6" && (base as ipaddr.IPv6).isIPv4MappedAddress() && length >= 96) {
    return [(base as ipaddr.IPv6).toIPv4Address(), length - 96];
  }
  return [base, length];
}
