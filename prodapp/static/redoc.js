// Starts ReDoc on the element that carries the document's address.
(function () {
  "use strict";
  var root = document.getElementById("redoc");
  var font = "system-ui, -apple-system, 'Segoe UI', sans-serif";
  window.Redoc.init(root.dataset.document, {
    disableSearch: true, // its search starts a worker from a blob, which the policy forbids
    nativeScrollbars: true,
    sortTagsAlphabetically: true,
    theme: {
      colors: { primary: { main: "#0068ad" } },
      typography: { fontFamily: font, headings: { fontFamily: font } },
    },
  }, root);
})();
