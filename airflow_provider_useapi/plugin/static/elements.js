/** Makes elements. What is put into one becomes text, and never markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 *
 * @param {string} name of the element.
 * @param {Object} attributes by name; one that is null, undefined or false is left out.
 * @param children elements, texts, numbers, or lists of them.
 */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for the elements of a picture. */
export function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** A text from outside: it keeps its own direction, and leaves that of its neighbours alone. */
export function foreign(text) {
  return element("bdi", {}, text);
}

/** A name for the eyes, and what a screen reader says in its place. */
export function spoken(shown, said) {
  return [element("span", { "aria-hidden": "true" }, shown), element("span", { class: "unseen" }, said)];
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      made.append(child);
    }
  }
  return made;
}
