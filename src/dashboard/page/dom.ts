/*
 * Elements are made by `h` and `svg`, with text as text: nothing that a peer or a database says is ever parsed as HTML.
 * `render` changes what is there to what is wanted and leaves alone what is equal, so that focus and selection stay.
 */

export type Child = Node | string | null;

/** True stands for an attribute without a value; null and false leave it out. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

const SVG = 'http://www.w3.org/2000/svg';

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled<Made extends Element>(
  element: Made,
  attributes: Attributes,
  children: readonly Child[],
): Made {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An element of index.html. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`Expected an element #${id}`);
  return found;
}

/** Makes these the children. Those with a `data-key` are told apart by it, others by their place. */
export function render(parent: Element, ...children: readonly Child[]): void {
  const wanted = children
    .filter((child) => child !== null)
    .map((child) => (typeof child === 'string' ? document.createTextNode(child) : child));
  renderNodes(parent, wanted);
}

function renderNodes(parent: Element, wanted: readonly Node[]): void {
  const keys = new Set(wanted.map(keyOf));
  const keyed = new Map<string, ChildNode>();
  for (const child of [...parent.childNodes]) {
    const key = keyOf(child);
    if (key === null) continue;
    if (keys.has(key)) keyed.set(key, child);
    else child.remove();
  }
  let place = parent.firstChild;
  for (const want of wanted) {
    const key = keyOf(want);
    const candidate = key === null ? place : (keyed.get(key) ?? null);
    if (candidate === null || !isAlike(candidate, want)) {
      parent.insertBefore(want, place);
      continue;
    }
    if (candidate === place) place = place.nextSibling;
    else parent.insertBefore(candidate, place);
    change(candidate, want);
  }
  while (place !== null) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function keyOf(node: Node): string | null {
  return node instanceof Element ? node.getAttribute('data-key') : null;
}

function isAlike(there: Node, want: Node): boolean {
  return there.nodeName === want.nodeName && keyOf(there) === keyOf(want);
}

function change(there: Node, want: Node): void {
  if (!(there instanceof Element) || !(want instanceof Element)) {
    if (there.nodeValue !== want.nodeValue) there.nodeValue = want.nodeValue;
    return;
  }
  for (const { name } of [...there.attributes]) {
    if (!want.hasAttribute(name) && !isOfTheUser(there, name)) there.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (there.getAttribute(name) !== value) there.setAttribute(name, value);
  }
  renderNodes(there, [...want.childNodes]);
}

/** Whether details are open is for the person to say. */
function isOfTheUser(element: Element, attribute: string): boolean {
  return element instanceof HTMLDetailsElement && attribute === 'open';
}
