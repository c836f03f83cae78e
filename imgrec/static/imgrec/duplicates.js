// Keys for the duplicate desk; they work in the cluster that has the focus, and nowhere else.
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const cluster = document.activeElement?.closest("[data-imgrec-cluster]");
    if (!cluster) return;
    const button = cluster.querySelector(`[data-imgrec-key="${CSS.escape(event.key)}"]`);
    if (button) {
      event.preventDefault();
      button.click();
      return;
    }
    if (event.key !== "j" && event.key !== "k") return;
    const all = [...document.querySelectorAll("[data-imgrec-cluster]")];
    const next = all[all.indexOf(cluster) + (event.key === "j" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
})();
