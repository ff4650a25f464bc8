// Turns <div class="chart" data-chart="…"> into charts. The tables of the page
// say the same, so that a page without this is whole.
(() => {
  'use strict';
  const charts = new Map();
  const draw = () => {
    for (const place of document.querySelectorAll('.chart[data-chart]')) {
      if (charts.has(place)) continue;
      const chart = echarts.init(place);
      chart.setOption(JSON.parse(place.dataset.chart));
      place.dataset.drawn = 'yes';
      charts.set(place, chart);
    }
  };
  const fit = () => { for (const [place, chart] of charts) { if (place.isConnected) chart.resize(); else { chart.dispose(); charts.delete(place); } } };
  draw();
  document.addEventListener('htmx:load', draw);
  window.addEventListener('resize', fit);
  window.addEventListener('beforeprint', fit);
})();
