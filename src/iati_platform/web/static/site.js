// Small improvements for browsers with scripts. Every page works without this file.
(() => {
  "use strict";

  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    const label = button.firstChild;
    const words = label.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        label.textContent = "Copied";
      } catch {
        label.textContent = "Not copied";
      }
      setTimeout(() => { label.textContent = words; }, 1600);
    });
  }

  // A running job: ask every two seconds while the page is visible, reload once it is done.
  for (const box of document.querySelectorAll("[data-progress]")) {
    const bar = box.querySelector("progress");
    const text = box.querySelector(".n");
    let failures = 0;
    const ask = async () => {
      if (!document.hidden) {
        try {
          const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
          const state = await answer.json();
          failures = 0;
          bar.max = state.total || 1;
          bar.value = state.done;
          text.textContent = state.done.toLocaleString("en") + " of " + state.total.toLocaleString("en");
          if (state.finished) { location.reload(); return; }
        } catch {
          failures += 1;
        }
      }
      if (failures < 5) setTimeout(ask, 2000);
    };
    setTimeout(ask, 2000);
  }
})();
