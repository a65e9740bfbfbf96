// Starts ReDoc on the element that carries the document's address.
(function () {
  "use strict";
  var root = document.getElementById("redoc");
  window.Redoc.init(root.dataset.document, {
    disableSearch: true, // its search starts a worker from a blob, which the policy forbids
    hideDownloadButton: false,
    nativeScrollbars: true,
    sortTagsAlphabetically: true,
    theme: { colors: { primary: { main: "#0068ad" } }, typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
  }, root);
})();
