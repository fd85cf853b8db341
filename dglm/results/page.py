"""Page: sections of a report as one file of HTML, which asks for nothing beside itself and runs nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from dglm.versions import environment

# Nothing may be fetched or run, whatever names of columns and levels are made of; text is escaped, too.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --dglm-line: rgba(128, 128, 128, 0.4); }
body { margin: 0 auto; padding: 1.5rem; max-width: 68rem; font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.4rem; border-bottom: 1px solid var(--dglm-line); padding-bottom: 0.2rem; }
p { max-width: 60em; margin: 0.4rem 0; overflow-wrap: anywhere; }
p.verdict { border-left: 0.3rem solid #2e8540; padding-left: 0.7rem; font-weight: bold; }
p.verdict.bad { border-left-color: #c62828; }
code { font-family: ui-monospace, monospace; }
div.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); gap: 1.2rem; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; background: white; border: 1px solid var(--dglm-line); }
figcaption { font-size: 0.85rem; margin-top: 0.3rem; }
@media print { section, figure { break-inside: avoid; } }
""".strip()


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes
    ----------
    title : str
        Its heading.
    body : str
        HTML.
    """

    title: str
    body: str


def versions() -> Section:
    """Return what a report was made with.

    Returns
    -------
    Section
        Versions of dglm and of what it needs, and the machine.
    """
    found = environment()
    said = ("; ".join(f"{name} {value}" for name, value in found[key].items()) for key in ("system", "needed"))
    return Section("Versions", "\n".join(f"<p>{escape(each)}</p>" for each in said))


def write_page(path: str | os.PathLike[str], title: str, lead: str, sections: Sequence[Section]) -> None:
    """Write a page, over whatever is there.

    Parameters
    ----------
    path : str or path
        Of the file.
    title : str
        Its heading, as text.
    lead : str
        HTML below it.
    sections : sequence of Section
        What follows.
    """
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n</style></head>",
        f"<body><header><h1>{escape(title)}</h1>\n{lead}</header>",
        "<main>",
        *(f"<section><h2>{escape(section.title)}</h2>\n{section.body}\n</section>" for section in sections),
        "</main></body></html>\n",
    ]
    Path(path).write_text("\n".join(parts), encoding="utf-8")
