// Tells the shop that a list of similar products was shown, seen (half of it, for a second) and
// clicked: the list's own signed token and a number made up for this page view, nothing else.
// Keeps nothing in the browser. Who asks not to be tracked is not counted.
(() => {
  "use strict";
  if (navigator.doNotTrack === "1" || navigator.globalPrivacyControl) return;

  const GATHER_MILLISECONDS = 1500; // shown and seen go in one message
  const SEEN_MILLISECONDS = 1000;
  const STEPS = Array.from({ length: 21 }, (_, step) => step / 20);

  function count(block) {
    const { imgrecCount: address, imgrecToken: token } = block.dataset;
    delete block.dataset.imgrecToken;
    const view = [...crypto.getRandomValues(new Uint32Array(2))]
      .map((each) => each.toString(16).padStart(8, "0"))
      .join("");
    const clicked = new Set();
    let seen = false;
    let news = true;
    let waiting;

    // Always all there is to tell: what got lost comes with the next message, and no order matters.
    const send = () => {
      if (!news) return;
      news = false;
      const told = JSON.stringify({ token, view, seen, cards: [...clicked] });
      navigator.sendBeacon(address, told);
    };

    function press(event) {
      const link = event.target.closest?.("a[href]");
      const card = link?.closest("[data-pk]");
      if (!card || event.button > 1) return; // the right button opens a menu
      const before = clicked.size;
      clicked.add([...block.querySelectorAll("[data-pk]")].indexOf(card));
      news ||= clicked.size > before;
      send(); // at once: the page may be gone in a moment
    }

    const watcher = new IntersectionObserver(
      ([...entries]) => {
        const { isIntersecting, intersectionRatio, intersectionRect } = entries.at(-1);
        // Half of the list, or of a window that is too small for half of it.
        const large = intersectionRatio >= 0.5 || intersectionRect.height >= innerHeight / 2;
        if (!isIntersecting || !large) {
          clearTimeout(waiting);
          waiting = undefined;
        } else {
          waiting ??= setTimeout(look, SEEN_MILLISECONDS);
        }
      },
      { threshold: STEPS },
    );

    function look() {
      waiting = undefined;
      if (document.visibilityState !== "visible") return;
      watcher.disconnect();
      seen = news = true;
      setTimeout(send, GATHER_MILLISECONDS - SEEN_MILLISECONDS);
    }

    block.addEventListener("click", press); // with the keyboard as well
    block.addEventListener("auxclick", press); // the middle button
    addEventListener("pagehide", send);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") {
        clearTimeout(waiting);
        waiting = undefined;
        send();
      } else if (!seen) {
        watcher.unobserve(block); // so that it says again where the list is
        watcher.observe(block);
      }
    });
    watcher.observe(block);
    setTimeout(send, GATHER_MILLISECONDS);
  }

  // A page loaded ahead of time, or in a tab behind, has shown nothing yet.
  function onceVisible(work) {
    if (document.visibilityState === "visible") return work();
    document.addEventListener("visibilitychange", () => onceVisible(work), { once: true });
  }

  // A page with several lists runs this several times: each list is taken once.
  function countAll() {
    document.querySelectorAll("[data-imgrec-token]").forEach(count);
  }
  onceVisible(countAll);
  document.addEventListener("imgrec:arrived", () => onceVisible(countAll));
})();
