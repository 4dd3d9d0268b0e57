/** Draws a minute of latency into a canvas: a line on a scale that starts at zero, with the scale's end written on it. */
export function drawSparkline(canvas: HTMLCanvasElement, values: Iterable<number>, count: number, scaleMs: number): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const soft = style.getPropertyValue("--edge");
  context.fillStyle = soft;
  context.fillRect(0, height - 1, width, 1);
  context.fillRect(0, height / 2, width, 1);
  context.strokeStyle = style.getPropertyValue("--accent");
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.beginPath();
  let drawing = false;
  let i = 0;
  for (const value of values) {
    const x = (i++ / (count - 1)) * width;
    const y = height - 2 - (value / scaleMs) * (height - 4);
    if (Number.isNaN(value)) drawing = false;
    else if (drawing) context.lineTo(x, y);
    else {
      context.moveTo(x, y);
      drawing = true;
    }
  }
  context.stroke();
  context.fillStyle = style.getPropertyValue("--soft");
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText(`${(scaleMs / 1000).toFixed(1)} s`, 2, 2);
  context.textAlign = "right";
  context.fillText("last minute", width - 2, 2);
}
