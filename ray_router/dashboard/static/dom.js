// Elements made and changed by calls: text is always text, so that nothing a router says becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element of a class or several, with children: elements or text; those that are null are left out. */
export function el(name, className = "", ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.filter((each) => each !== null && each !== ""));
  return made;
}

/** An SVG element with attributes. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The element of an id. */
export const at = (id) => document.getElementById(id);

/** Give an element a text, if it has another: whoever reads or selects it is not disturbed for nothing. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for classes. */
export function dress(node, className) {
  if (node.className !== className) node.className = className;
}

/** The same for an attribute. */
export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
