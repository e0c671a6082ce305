// The page: shows the view that the address names, in whatever element the host gives.

import { route } from "./addresses.js";
import { addStyles } from "./styles.js";
import { showDeployment } from "./views/deployment.js";
import { showDeployments } from "./views/deployments.js";
import { showForm } from "./views/form.js";

const VIEWS = { "": showDeployments, deployment: showDeployment, form: showForm };

/**
 * Shows the page in an element and follows the address.
 *
 * host.navigate(path, options) leads to another page of Airflow without loading it anew; it is missing where the
 * page stands by itself. Returns a function that ends it.
 */
export function mount(root, host = {}) {
  addStyles();
  root.classList.add("qc");
  let shown = null;

  const show = () => {
    const { name, argument } = route();
    const key = `${name}/${argument}`;
    if (shown?.key === key) {
      shown.update?.();
      return;
    }
    shown?.end();
    root.replaceChildren();
    const ending = new AbortController();
    const view = VIEWS[name] ?? showDeployments;
    shown = { key, end: () => ending.abort(), update: view(root, { host, signal: ending.signal, argument }) };
    window.scrollTo?.(0, 0);
  };
  const restart = () => {
    shown?.end();
    shown = null;
    show();
  };

  // Charts take their colours when they are drawn.
  const theme = new MutationObserver(restart);
  theme.observe(document.documentElement, { attributeFilter: ["class", "data-theme"] });
  window.addEventListener("hashchange", show);
  show();
  return () => {
    theme.disconnect();
    window.removeEventListener("hashchange", show);
    shown?.end();
    root.replaceChildren();
  };
}
