// What the pages do beyond links and forms. Everything here is an addition: each page also works
// without it. All listeners sit on the document, so swapped fragments need no set-up of their own.
(function () {
  "use strict";

  var page = document.documentElement;

  function words(name) {
    // Texts come translated from the page, as data attributes of the body.
    return document.body.dataset[name] || "";
  }

  // --- announcements ------------------------------------------------------------------------

  function announce(text) {
    var region = document.getElementById("live");
    if (region && text && region.textContent !== text) {
      region.textContent = text;
    }
  }

  var announced = "";
  function announceFrom(root) {
    var source = root.matches && root.matches("[data-announce]")
      ? root
      : root.querySelector && root.querySelector("[data-announce]");
    if (source && source.dataset.announce !== announced) {
      announced = source.dataset.announce;
      announce(announced);
    }
  }

  // --- theme --------------------------------------------------------------------------------

  function isDark() {
    return page.getAttribute("data-bs-theme") === "dark";
  }

  function showTheme() {
    document.querySelectorAll("[data-theme-switch]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(isDark()));
    });
  }

  function switchTheme() {
    var theme = isDark() ? "light" : "dark";
    page.setAttribute("data-bs-theme", theme);
    try {
      localStorage.setItem("theme", theme);
    } catch (error) {
      // Not saved, but it holds for this page.
    }
    showTheme();
  }

  // --- dialogs ------------------------------------------------------------------------------

  function openDialog(id) {
    var dialog = document.getElementById(id);
    if (!dialog || !dialog.showModal) {
      return false;
    }
    dialog.showModal();
    return true;
  }

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog]");
    if (opener && openDialog(opener.dataset.dialog)) {
      event.preventDefault();
      return;
    }
    var closer = event.target.closest("[data-close-dialog]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog").close();
      return;
    }
    if (event.target.matches("dialog")) {
      event.target.close(); // a click on the backdrop
      return;
    }
    if (event.target.closest("[data-theme-switch]")) {
      switchTheme();
      return;
    }
    var dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) {
      dismiss.closest(".notice").remove();
    }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  document.addEventListener("change", function (event) {
    var control = event.target;
    if (control.matches("[data-submit-on-change]")) {
      control.form.requestSubmit();
    } else if (control.matches(".dropzone input[type=file]")) {
      showFile(control);
    } else if (control.matches("[data-check-all]")) {
      control.closest("form").querySelectorAll("[name=" + control.dataset.checkAll + "]:enabled")
        .forEach(function (box) { box.checked = control.checked; });
    }
  });

  // What is shown once is to be copied whole.
  document.addEventListener("focusin", function (event) {
    if (event.target.matches("[data-select-on-focus]")) {
      event.target.select();
    }
  });

  // A second click while the first is on its way would send the form twice.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.hasAttribute("hx-post")) {
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });

  // --- upload -------------------------------------------------------------------------------

  var SIZES = ["B", "kB", "MB", "GB", "TB"];
  function size(bytes) {
    var unit = 0;
    while (bytes >= 1000 && unit < SIZES.length - 1) {
      bytes /= 1024;
      unit += 1;
    }
    var shown = bytes.toLocaleString(page.lang, { maximumSignificantDigits: 3 });
    return shown + " " + SIZES[unit];
  }

  function showFile(input) {
    var zone = input.closest(".dropzone");
    var name = zone.querySelector("[data-file-name]");
    var file = input.files[0];
    zone.classList.toggle("has-file", Boolean(file));
    name.textContent = file ? file.name + " · " + size(file.size) : "";
  }

  function dropTarget(event) {
    return event.target.closest ? event.target.closest(".dropzone") : null;
  }
  ["dragenter", "dragover"].forEach(function (type) {
    document.addEventListener(type, function (event) {
      var zone = dropTarget(event);
      if (zone) {
        event.preventDefault();
        zone.classList.add("is-over");
      }
    });
  });
  document.addEventListener("dragleave", function (event) {
    var zone = dropTarget(event);
    if (zone && !zone.contains(event.relatedTarget)) {
      zone.classList.remove("is-over");
    }
  });
  document.addEventListener("drop", function (event) {
    var zone = dropTarget(event);
    if (!zone) {
      return;
    }
    event.preventDefault();
    zone.classList.remove("is-over");
    var input = zone.querySelector("input[type=file]");
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      showFile(input);
    }
  });

  var uploadStart = 0;
  document.addEventListener("htmx:beforeRequest", function (event) {
    var form = event.target.closest("form[data-upload]");
    if (form) {
      uploadStart = performance.now();
      form.querySelector("[data-upload-progress]").hidden = false;
      form.querySelector("[type=submit]").disabled = true;
      announce(form.dataset.uploading);
    }
  });
  document.addEventListener("htmx:xhr:progress", function (event) {
    var form = event.target.closest("form[data-upload]");
    if (!form || !event.detail.lengthComputable || !event.detail.total) {
      return;
    }
    var loaded = event.detail.loaded;
    var total = event.detail.total;
    var seconds = Math.max((performance.now() - uploadStart) / 1000, 0.001);
    form.querySelector("progress").value = loaded / total;
    form.querySelector("[data-upload-text]").textContent = loaded < total
      ? size(loaded) + " / " + size(total) + " · " + size(loaded / seconds) + "/s"
      : form.dataset.checking;
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.target.closest && event.target.closest("form[data-upload]");
    if (form && !event.detail.successful) {
      form.querySelector("[data-upload-progress]").hidden = true;
      form.querySelector("[type=submit]").disabled = false;
    }
  });

  // --- what is typed while a form is read again ---------------------------------------------

  // The answer holds the fields as they were sent; what changed since then is put back into it.
  var sentFields = null;
  function fieldsOf(form) {
    var fields = {};
    new FormData(form).forEach(function (value, name) {
      fields[name] = value;
    });
    return fields;
  }
  function keepingForm(event) {
    return event.target.closest ? event.target.closest("form[data-keeps-typing]") : null;
  }
  document.addEventListener("htmx:beforeRequest", function (event) {
    var form = keepingForm(event);
    sentFields = form ? fieldsOf(form) : sentFields;
  });
  var typed = {};
  document.addEventListener("htmx:beforeSwap", function (event) {
    var form = keepingForm(event);
    typed = {};
    if (!form || !sentFields) {
      return;
    }
    var now = fieldsOf(form);
    Object.keys(now).forEach(function (name) {
      if (now[name] !== sentFields[name]) {
        typed[name] = now[name];
      }
    });
  });
  document.addEventListener("htmx:afterSwap", function () {
    var form = document.querySelector("form[data-keeps-typing]");
    Object.keys(form ? typed : {}).forEach(function (name) {
      var field = form.elements.namedItem(name);
      if (field) {
        field.value = typed[name];
      }
    });
    typed = {};
  });

  // --- a period drawn on a trend ------------------------------------------------------------

  // The two fields below the trend are what is sent; drawing fills them, and they draw.
  function axisOf(trend) {
    var data = trend.dataset;
    return {
      isTime: data.trend === "time",
      start: Number(data.start),
      end: Number(data.end),
      left: Number(data.left),
      right: Number(data.right)
    };
  }
  function placeAt(trend, event) {
    var axis = axisOf(trend);
    var box = trend.getBoundingClientRect();
    var x = (event.clientX - box.left) / box.width * trend.viewBox.baseVal.width;
    return Math.min(axis.right, Math.max(axis.left, x));
  }
  function showChosen(trend, first, last) {
    var chosen = trend.querySelector("[data-chosen]");
    chosen.setAttribute("x", Math.min(first, last));
    chosen.setAttribute("width", Math.abs(last - first));
  }
  function fieldText(axis, place) {
    var share = (place - axis.left) / (axis.right - axis.left);
    var value = axis.start + share * (axis.end - axis.start);
    return axis.isTime
      ? new Date(Math.round(value) * 1000).toISOString().slice(0, 19)
      : String(Math.round(value));
  }
  function fieldPlace(axis, text, otherwise) {
    var value = axis.isTime ? Date.parse(text + "Z") / 1000 : Number(text);
    if (!text || isNaN(value)) {
      return otherwise;
    }
    var share = (value - axis.start) / (axis.end - axis.start || 1);
    return axis.left + Math.min(1, Math.max(0, share)) * (axis.right - axis.left);
  }
  function periodFields() {
    return [document.getElementById("period-start"), document.getElementById("period-end")];
  }
  var drawn = null;
  document.addEventListener("pointerdown", function (event) {
    var trend = event.target.closest && event.target.closest("[data-trend]");
    if (trend && event.button === 0) {
      drawn = { trend: trend, from: placeAt(trend, event) };
      event.preventDefault();
    }
  });
  document.addEventListener("pointermove", function (event) {
    if (!drawn) {
      return;
    }
    var axis = axisOf(drawn.trend);
    var to = placeAt(drawn.trend, event);
    var fields = periodFields();
    showChosen(drawn.trend, drawn.from, to);
    fields[0].value = fieldText(axis, Math.min(drawn.from, to));
    fields[1].value = fieldText(axis, Math.max(drawn.from, to));
  });
  ["pointerup", "pointercancel"].forEach(function (type) {
    document.addEventListener(type, function () {
      drawn = null;
    });
  });
  document.addEventListener("input", function (event) {
    var trend = document.querySelector("[data-trend]");
    if (!trend || !event.target.closest("[data-period]")) {
      return;
    }
    var axis = axisOf(trend);
    var fields = periodFields();
    if (fields[0].value || fields[1].value) {
      showChosen(
        trend,
        fieldPlace(axis, fields[0].value, axis.left),
        fieldPlace(axis, fields[1].value, axis.right)
      );
    }
  });

  // --- sliders ------------------------------------------------------------------------------

  // A slider has no name: the number field beside it is what is sent, and each moves the other.
  document.addEventListener("input", function (event) {
    var control = event.target;
    if (control.matches("[data-slides]")) {
      document.getElementById(control.dataset.slides).value = control.value;
    } else if (control.type === "number" && control.id) {
      var slider = document.querySelector('[data-slides="' + control.id + '"]');
      if (slider && control.value) {
        slider.value = control.value;
      }
    }
  });

  // --- requests that fail -------------------------------------------------------------------

  // The error mapping answers a fragment and says where it belongs; anything else (a proxy's page)
  // is not put into ours.
  var problem = "";
  document.addEventListener("htmx:beforeSwap", function (event) {
    var xhr = event.detail.xhr;
    if (xhr.status < 400) {
      problem = "";
    } else if (xhr.getResponseHeader("HX-Retarget")) {
      // What is asked again every second must not say the same every second.
      event.detail.shouldSwap = xhr.responseText !== problem;
      problem = xhr.responseText;
    }
  });
  function lost() {
    page.classList.add("is-offline");
    announce(words("offline"));
  }
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", function (event) {
    var xhr = event.detail.xhr;
    if (xhr.status >= 502 && xhr.status <= 504) {
      lost();
    }
  });
  document.addEventListener("htmx:afterOnLoad", function () {
    if (page.classList.contains("is-offline")) {
      page.classList.remove("is-offline");
      announce(words("online"));
    }
  });

  // --- elapsed time -------------------------------------------------------------------------

  function elapsedText(seconds) {
    if (seconds < 60) {
      return seconds + " s";
    }
    var minutes = Math.floor(seconds / 60);
    return minutes < 60
      ? minutes + " min " + (seconds % 60) + " s"
      : Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
  }
  function tick() {
    document.querySelectorAll("[data-elapsed-since]").forEach(function (element) {
      var began = Date.parse(element.dataset.elapsedSince);
      // The server's clock rules: the offset to it was measured when the page arrived.
      var now = Date.now() + Number(page.dataset.clockOffset || 0);
      var text = elapsedText(Math.max(0, Math.floor((now - began) / 1000)));
      if (element.textContent !== text) {
        element.textContent = text;
      }
    });
  }
  function setClock() {
    var sent = Date.parse(document.body.dataset.now || "");
    if (!isNaN(sent) && !page.dataset.clockOffset) {
      page.dataset.clockOffset = String(sent - Date.now());
    }
  }

  document.addEventListener("htmx:afterSwap", function (event) {
    showTheme();
    announceFrom(event.detail.elt || event.target);
    tick();
  });

  setClock();
  showTheme();
  tick();
  window.setInterval(tick, 1000);
})();
