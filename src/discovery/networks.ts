import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * The IPv4 networks that this machine has an address in, loopback among them; with `interfaceAddress` only the one
 * of that address.
 */
export function ownNetworks(interfaceAddress: string | null): BlockList {
  const networks = new BlockList();
  for (const { address, family, cidr } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    if (family !== 'IPv4' || cidr === null) continue;
    if (interfaceAddress !== null && address !== interfaceAddress) continue;
    networks.addSubnet(address, Number(cidr.split('/')[1]), 'ipv4');
  }
  return networks;
}
