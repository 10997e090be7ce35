/**
 * Makes what is on the page like what was drawn anew, and touches nothing that is the same: focus,
 * selection and scrolling stay, and nothing flickers.
 */

/**
 * Let an element have the attributes and children of another.
 *
 * Children with a ``data-key`` are the same where their keys are; the others where their places are.
 *
 * @param {Element} shown what is on the page; it stays.
 * @param {Element} drawn what it should be like; it is used up.
 */
export function morph(shown, drawn) {
  copyAttributes(shown, drawn);
  const keyed = new Map();
  for (const child of shown.children) {
    if (child.dataset?.key) {
      keyed.set(child.dataset.key, child);
    }
  }
  let place = shown.firstChild;
  for (const wanted of [...drawn.childNodes]) {
    const found = keyed.get(wanted.dataset?.key) ?? place;
    if (found && isLike(found, wanted)) {
      if (found === place) {
        place = place.nextSibling;
      } else {
        shown.insertBefore(found, place);
      }
      update(found, wanted);
    } else {
      shown.insertBefore(wanted, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function isLike(one, other) {
  return one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;
}

function update(found, wanted) {
  if (found.nodeType !== Node.ELEMENT_NODE) {
    if (found.nodeValue !== wanted.nodeValue) {
      found.nodeValue = wanted.nodeValue;
    }
  } else if (!found.isEqualNode(wanted)) {
    morph(found, wanted);
  }
}

function copyAttributes(shown, drawn) {
  for (const { name, value } of drawn.attributes) {
    if (shown.getAttribute(name) !== value) {
      shown.setAttribute(name, value);
    }
  }
  for (const { name } of [...shown.attributes]) {
    // What the reader has opened stays open.
    if (!drawn.hasAttribute(name) && !(name === "open" && shown.nodeName === "DETAILS")) {
      shown.removeAttribute(name);
    }
  }
}
