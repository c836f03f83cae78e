// Brings {% similar_products … lazy=True %} into the page when it comes near the window.
// Whatever goes wrong, the placeholder's link stays and leads to a page of the list.
(() => {
  "use strict";
  const NEAR = "100% 0px"; // within a window's height, to be there in time

  function load(place) {
    // A request for a document rather than text: that works under every content security
    // policy, Trusted Types included, and runs no scripts.
    const request = new XMLHttpRequest();
    const address = place.dataset.imgrecAddress;
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => {
      // Elsewhere than asked: the shop sent us to its login, say.
      if (!request.responseURL.endsWith(address)) return;
      if (request.status === 200) swap(place, elements(request.response));
      else if (request.status === 204) swap(place, []);
    };
    request.onloadend = () => place.removeAttribute("aria-busy");
    place.setAttribute("aria-busy", "true");
    request.send();
  }

  function elements(answer) {
    return answer ? [...answer.head.children, ...answer.body.children] : [];
  }

  function swap(place, fresh) {
    const focused = place.contains(document.activeElement);
    const heir = fresh[0] ?? place.parentElement;
    for (const each of fresh) each.classList.add("imgrec-arrived");
    place.replaceWith(...fresh);
    document.dispatchEvent(new CustomEvent("imgrec:arrived")); // for scripts that count lists
    if (!focused) return;
    // Who stood on the link goes on from here, and hears where that is.
    if (!heir.hasAttribute("tabindex")) heir.tabIndex = -1;
    heir.focus({ preventScroll: true });
  }

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watcher.unobserve(target);
        load(target);
      }
    },
    { rootMargin: NEAR },
  );
  // A page with several lists runs this several times: each place is taken once.
  for (const place of document.querySelectorAll("[data-imgrec-lazy]")) {
    place.dataset.imgrecAddress = place.dataset.imgrecLazy;
    delete place.dataset.imgrecLazy;
    watcher.observe(place);
  }
})();
