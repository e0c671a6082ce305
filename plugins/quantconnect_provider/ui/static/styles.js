// The page's style sheets, added to whatever document shows a part of it.

import { staticFile } from "./addresses.js";
import { h } from "./dom.js";

/** Adds the style sheets to the document, once. */
export function addStyles() {
  for (const name of ["vendor/uplot/uPlot.min.css", "style.css"]) {
    const href = staticFile(name);
    if (document.querySelector(`link[href="${href}"]`)) continue;
    document.head.append(h("link", { rel: "stylesheet", href }));
  }
}
