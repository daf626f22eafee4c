import { behindOf, type Sight } from './observe.js';

/**
 * Makes the question whether these replicas have come to rest: every daemon answers, everything written is folded,
 * everyone has acknowledged everyone's log to its head, and the heads have not moved since the look before.
 */
export function quietAmong(machines: readonly string[]): (sights: readonly Sight[]) => boolean {
  let lastHeads = '';
  return (all) => {
    const sights = all.filter(({ machine }) => machines.includes(machine));
    const heads = sights.map(({ status }) => status?.head ?? -1).join();
    const still = heads === lastHeads;
    lastHeads = heads;
    return (
      still &&
      sights.every(({ machine, status }) => status?.unfolded === 0 && behindOf(machine, sights) === 0)
    );
  };
}
