// Keeps the progress page up to date; without scripts the page reloads itself.
(() => {
  "use strict";
  const page = document.querySelector("[data-imgrec-poll]");
  if (!page) return;
  const every = Number(page.dataset.imgrecEvery);
  let next = page.dataset.imgrecPoll;

  function show(answer) {
    for (const place of page.querySelectorAll("[data-imgrec-said]")) {
      const text = answer.said[place.dataset.imgrecSaid];
      if (place.textContent !== text) place.textContent = text;
    }
    const bar = page.querySelector("[data-imgrec-bar]");
    if (bar) bar.value = answer.done;
  }

  async function look() {
    let wait = every;
    try {
      const response = await fetch(next, { credentials: "same-origin" });
      if (response.redirected) return location.reload(); // logged out meanwhile
      if (!response.ok) throw new Error(response.statusText);
      const answer = await response.json();
      show(answer);
      next = answer.next;
      if (!answer.busy) return location.reload();
    } catch {
      wait = 5 * every; // the server is away for a moment
    }
    setTimeout(look, wait);
  }

  setTimeout(look, every);
})();
