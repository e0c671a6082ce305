// Builds elements. Whatever comes from the store becomes text, never markup.

/** Returns an element; functions among the attributes listen to events, false and null leave one out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** Returns a moment: relative for the eye, exact in the tooltip and for machines. */
export function time(iso, text) {
  if (!iso) return h("span", { class: "muted" }, "never");
  return h("time", { datetime: iso, title: `${iso.slice(0, 19).replace("T", " ")} UTC` }, text);
}

/** Calls a function once its calls have paused. */
export function debounce(call, milliseconds) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), milliseconds);
  };
}
