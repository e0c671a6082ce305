// Runs a plain module inside a React component of Airflow's page, with the React that is there.

/** Returns a component whose element is handed to mount(element, props); what that returns ends it. */
export function component(mount) {
  const { createElement, useEffect, useRef } = globalThis.React;
  return function Host(props) {
    const place = useRef(null);
    const key = JSON.stringify(props);
    const navigate = globalThis.ReactRouterDOM?.useNavigate?.();
    const latest = useRef(navigate);
    latest.current = navigate;
    useEffect(
      () => mount(place.current, { ...props, navigate: (path, options) => latest.current?.(path, options) }),
      [key],
    );
    return createElement("div", { ref: place });
  };
}
