// Before the first paint, so that no page flashes in the other theme. The rest is in browser/theme.ts.
(() => {
  try {
    const theme = localStorage.getItem("becket.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is forbidden here: the system's theme it is.
  }
})();
