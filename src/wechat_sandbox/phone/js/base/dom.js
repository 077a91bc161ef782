/* Building elements: text always as text nodes, never as markup, so that nothing typed can
 * become HTML. */

const SVG = "http://www.w3.org/2000/svg";

function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value))
        element.addEventListener(event, listener);
    } else if (name === "vars") {
      for (const [property, amount] of Object.entries(value))
        element.style.setProperty(property, amount);
    } else if (name === "value" || name === "checked" || name === "disabled") {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** An HTML element. `on` holds listeners, `vars` CSS properties; children may nest in arrays. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, props);
  append(element, children);
  return element;
}

/** An SVG element, with the same props as `h`. */
export function s(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, props);
  append(element, children);
  return element;
}

/** A button: never submits a form by accident. */
export function button(props, ...children) {
  return h("button", { type: "button", ...props }, ...children);
}

/** Replace what is inside an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** A listener that keeps its button busy until `action` is done; taps meanwhile are ignored. */
export function once(action) {
  return async (event) => {
    const element = event.currentTarget;
    if (element.getAttribute("aria-busy") === "true") return;
    element.setAttribute("aria-busy", "true");
    try {
      await action();
    } finally {
      element.removeAttribute("aria-busy");
    }
  };
}

/** Call `leave` on Escape or a press outside; returns a function that stops listening. */
export function dismissable(element, leave) {
  const onKey = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    leave();
  };
  const onPress = (event) => {
    if (!element.contains(event.target)) leave();
  };
  element.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", onPress, true);
  return () => {
    element.removeEventListener("keydown", onKey);
    document.removeEventListener("pointerdown", onPress, true);
  };
}
