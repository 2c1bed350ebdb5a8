// The latency plot and the bar of stages.

export const HISTORY_MS = 60_000;
const PALETTE = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"];

/** The smallest value that at least that share does not exceed; null of none. */
export function percentile(sorted, share) {
  return sorted.length ? sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] : null;
}

export function sized(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  return ratio;
}

/** Ages of the last minute: in each column of pixels from the least to the most. */
export function plotAges(canvas, points, nowMs, deadlineMs) {
  const ratio = sized(canvas);
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const [pad, foot] = [12 * ratio, 16 * ratio];
  const [width, height] = [canvas.width - 2 * pad, canvas.height - foot - 4 * ratio];
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (width <= 0) return;
  const most = Math.max(deadlineMs ? deadlineMs * 1.25 : 0, ...points.map((point) => point[1] * 1.15), 10);
  const yOf = (age) => 4 * ratio + height * (1 - Math.min(age, most) / most);
  const xOf = (at) => pad + width * (1 - (nowMs - at) / HISTORY_MS);
  pen.strokeStyle = style.getPropertyValue("--edge");
  pen.lineWidth = ratio;
  pen.strokeRect(pad, 4 * ratio, width, height);
  const lines = { within: style.getPropertyValue("--plot"), over: style.getPropertyValue("--over") };
  for (const [x, least, worst] of columns(points, xOf, pad)) {
    pen.fillStyle = deadlineMs && worst > deadlineMs ? lines.over : lines.within;
    pen.fillRect(x, yOf(worst) - ratio, 2 * ratio, Math.max(2.5 * ratio, yOf(least) - yOf(worst) + ratio));
  }
  if (deadlineMs) dashed(pen, [pad, pad + width], yOf(deadlineMs), lines.over, ratio);
  write(pen, { pad, width, ratio, most, deadlineMs, yOf }, style);
}

function* columns(points, xOf, leftmost) {
  let column = null;
  for (const [at, age] of points) {
    const x = Math.round(xOf(at));
    if (x < leftmost) continue;
    if (column && column[0] === x) {
      column[1] = Math.min(column[1], age);
      column[2] = Math.max(column[2], age);
      continue;
    }
    if (column) yield column;
    column = [x, age, age];
  }
  if (column) yield column;
}

function dashed(pen, [left, right], y, colour, ratio) {
  pen.save();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5 * ratio;
  pen.setLineDash([6 * ratio, 4 * ratio]);
  pen.beginPath();
  pen.moveTo(left, y);
  pen.lineTo(right, y);
  pen.stroke();
  pen.restore();
}

function write(pen, { pad, width, ratio, most, deadlineMs, yOf }, style) {
  pen.font = `${11.5 * ratio}px ${style.fontFamily}`;
  pen.fillStyle = style.getPropertyValue("--quiet");
  pen.textBaseline = "bottom";
  pen.textAlign = "left";
  const bottom = pen.canvas.height;
  pen.fillText("60 s ago", pad, bottom);
  pen.textAlign = "center";
  const scale = width / ratio < 260 ? `${Math.round(most)} ms high` : `age, 0 to ${Math.round(most)} ms`;
  pen.fillText(scale, pad + width / 2, bottom);
  pen.textAlign = "right";
  pen.fillText("now", pad + width, bottom);
  if (!deadlineMs) return;
  pen.textAlign = "left";
  pen.fillText(`deadline ${Math.round(deadlineMs)} ms`, pad + 4 * ratio, yOf(deadlineMs) - 2 * ratio);
}

/** Where the time of an answer goes: medians of the latest. */
export function showStages(bar, legend, stagesMs) {
  const stages = Object.entries(stagesMs);
  const total = stages.reduce((sum, [, ms]) => sum + ms, 0);
  const pieces = stages.map(([, ms], nth) => {
    const piece = document.createElement("i");
    piece.style.flex = `${total ? ms / total : 0} 0 0`;
    piece.style.background = PALETTE[nth % PALETTE.length];
    return piece;
  });
  bar.replaceChildren(...pieces);
  legend.replaceChildren(...stages.map(([name, ms], nth) => {
    const item = document.createElement("li");
    const mark = document.createElement("i");
    mark.style.background = PALETTE[nth % PALETTE.length];
    item.append(mark, `${name} ${ms.toFixed(1)} ms`);
    return item;
  }));
}
