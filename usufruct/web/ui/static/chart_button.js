// Buttons that load an interactive chart: nothing of it is fetched before one is pressed.

import { failed } from "./page.js";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-chart]");
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    const { drawChart } = await import("./chart.js");
    await drawChart(button);
  } catch (error) {
    button.disabled = false;
    failed(error);
  }
});
