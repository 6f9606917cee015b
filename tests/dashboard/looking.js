// What a test looks for on the page as it is drawn: text that is hard to read, and controls without a name.
() => {
  const channels = (colour) => {
    const numbers = colour.match(/[\d.]+/g).map(Number);
    return numbers.length === 3 ? [...numbers, 1] : numbers;
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((each) => each / 255).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement) layers.push(channels(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const texts = [...node.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE && each.textContent.trim());
    if (!texts.length || !node.checkVisibility() || node.closest("noscript, option")) continue;
    const style = getComputedStyle(node);
    const back = behind(node);
    const ink = over(channels(node.namespaceURI.endsWith("svg") ? style.fill : style.color), back);
    const [dark, light] = [luminance(ink), luminance(back)].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(2)}: ${node.className.baseVal ?? node.className} ${texts[0].textContent.trim()}`);
  }
  for (const each of document.querySelectorAll("input, textarea, select, button, [role=meter], [role=img]")) {
    if (each.checkVisibility() && !(each.labels?.length || each.ariaLabel || each.textContent.trim())) found.push(`no name: ${each.outerHTML}`);
  }
  return found;
}
