// Runs before the first paint: the saved theme, or the system's; and "js" for what needs scripts.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function saved() {
    try {
      return localStorage.getItem("theme");
    } catch (error) {
      return null; // Storage may be forbidden; the system's choice then holds.
    }
  }
  function apply() {
    root.setAttribute("data-bs-theme", saved() || (dark.matches ? "dark" : "light"));
  }
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
})();
