"""Pages as a browser shows them: headless Chromium, driven by its command line, for tests of HTML.

`load(html)` or `load(path)` returns what was measured; mark tests with `needs_chromium`. There is no network inside.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=5000",
)
SECONDS = 90

# Before anything of the page runs.
LISTEN = (
    "window.faults = []; addEventListener('error', e => faults.push(e.message || 'cannot load ' + e.target.src), true)"
)

# When the page has loaded. Colours are painted on a pixel to be read, whatever notation they are in.
MEASURE = """
addEventListener('load', () => {
  const root = document.documentElement, wide = root.clientWidth;
  const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]).concat(1);
  const up = node => node ? [node, ...up(node.parentElement)] : [];
  const luminance = colour => colour.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const label = node => node.tagName.toLowerCase() + (node.className ? '.' + node.className : '')
    + ': ' + node.textContent.trim().slice(0, 40);
  const scrolls = node => ['auto', 'scroll', 'hidden'].includes(getComputedStyle(node).overflowX);
  const probe = document.createElement('i');
  probe.style.color = 'Canvas'; document.body.append(probe);
  const canvas = rgba(getComputedStyle(probe).color); probe.remove();
  const background = node => up(node).reverse().reduce(
    (below, each) => over(rgba(getComputedStyle(each).backgroundColor), below), canvas);
  const contrast = node => {
    const below = background(node), colour = rgba(getComputedStyle(node).color);
    colour[3] *= up(node).reduce((product, each) => product * getComputedStyle(each).opacity, 1);
    const [dim, bright] = [luminance(over(colour, below)), luminance(below)].sort((a, b) => a - b);
    return (bright + 0.05) / (dim + 0.05);
  };
  let faintest = [21, ''];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const node = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !node.getClientRects().length) continue;
    const found = contrast(node);
    if (found < faintest[0]) faintest = [found, label(node)];
  }
  const all = [...document.body.querySelectorAll('*')];
  const within = node => node.getBoundingClientRect().right <= wide + 1;
  const boxed = node => up(node.parentElement).some(each => each !== root && scrolls(each) && within(each));
  const beyond = all.filter(node => !within(node) && !boxed(node));
  const found = {
    width: wide, scroll_width: root.scrollWidth,
    background: background(document.body).slice(0, 3),
    contrast: faintest[0], faintest: faintest[1],
    overflowing: beyond.map(label),
    scrolling: all.filter(node => scrolls(node) && node.scrollWidth > node.clientWidth + 1).map(label),
    broken: [...document.images].filter(each => !each.naturalWidth).map(each => each.src.slice(0, 80)),
    requests: performance.getEntriesByType('resource').map(each => each.name).filter(each => !each.startsWith('data:')),
    faults: faults, said: (() => (ASKED))(),
  };
  const note = document.createElement('script');
  note.type = 'application/json'; note.id = 'measured';
  note.textContent = JSON.stringify(found).replace(/</g, '\\\\u003c');
  document.body.append(note);
});
"""


@dataclass(frozen=True)
class Page:
    """A page that was loaded. Lengths are CSS pixels; elements are their tag, class and first words.

    Attributes
    ----------
    dom : str
        The document after its scripts.
    width, scroll_width : int
        Of the window, and of what is in it: equal where nothing overflows the page.
    background : list of float
        Red, green and blue of the body, 0 to 255.
    contrast : float
        The least of any text against what is behind it, as WCAG 2 defines it: 1 to 21, readable from 4.5.
    faintest : str
        The element that has it.
    overflowing : list of str
        Elements that reach beyond the window's right edge, outside of any box that scrolls.
    scrolling : list of str
        Boxes whose content is wider than they are.
    broken : list of str
        Images that could not be shown.
    requests : list of str
        What the page asked for beside itself.
    faults : list of str
        Errors of its scripts.
    said : object
        Value of the expression that was asked for.
    """

    dom: str
    width: int
    scroll_width: int
    background: list[float]
    contrast: float
    faintest: str
    overflowing: list[str]
    scrolling: list[str]
    broken: list[str]
    requests: list[str]
    faults: list[str]
    said: Any


def load(
    page: str | Path,
    *,
    dark: bool = False,
    width: int = 1000,
    height: int = 800,
    ask: str = "null",
    screenshot: Path | None = None,
) -> Page:
    """Return what a browser makes of a page.

    Parameters
    ----------
    page : str or Path
        A document or a fragment of one, which is put into a page of either theme; or the file that has it.
    dark : bool
        Whether the reader prefers dark themes.
    width, height : int
        Of the window in pixels; the width at least 500.
    ask : str
        An expression of JavaScript, evaluated when the page has loaded: "document.querySelectorAll('td').length".
    screenshot : Path, optional
        A PNG file to write.

    Returns
    -------
    Page
        What was measured.
    """
    html = page.read_text(encoding="utf-8") if isinstance(page, Path) else page
    if "<html" not in html:
        head = '<meta charset="utf-8"><style>:root { color-scheme: light dark }</style>'
        html = f"<!doctype html>\n<html><head>{head}</head><body>{html}</body></html>"
    scripts = f"<script>{LISTEN}</script><script>{MEASURE.replace('ASKED', ask)}</script>"
    html = re.sub(r"<html[^>]*>(\s*<head[^>]*>)?", lambda found: found[0] + scripts, html, count=1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(html, encoding="utf-8")
        size = f"--window-size={width},{height}"
        options = [*FLAGS, f"--user-data-dir={folder}/profile", size, *(["--force-dark-mode"] if dark else [])]
        dom = _run([*options, "--dump-dom", file.as_uri()])
        if screenshot is not None:
            _run([*options, f"--screenshot={screenshot}", file.as_uri()])
    measured = re.search(r'<script type="application/json" id="measured">(.*?)</script>', dom, re.DOTALL)
    assert measured, f"the page was not measured:\n{dom[-2000:]}"
    return Page(dom=dom, **json.loads(measured[1]))


def _run(options: list[str]) -> str:
    """Run Chromium, and end it with all of its processes if it hangs."""
    assert CHROMIUM, "no Chromium is installed"
    process = subprocess.Popen(
        [CHROMIUM, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert process.returncode == 0, err[-2000:]
    return out
