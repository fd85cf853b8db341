"""Hypertext: a sheet as HTML that takes its colours from the page around it, light or dark, and needs no script.

Every rule of the style is about what is inside ``div.dglm``, and says more than those that notebooks have for tables.
Where styles are taken out (GitHub, notebooks that are not trusted), plain tables are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dglm.results.sheet import Fact, Row, Sheet

#: What a page may set is ``--dglm-line``, the colour of the thin rules; text and thick ones have the page's own.
STYLE = """<style>
div.dglm { color: inherit; background: none; max-width: 100%; font-size: 0.9em; line-height: 1.35; }
div.dglm { margin: 0.5em 0 1em; }
div.dglm p { margin: 0.3em 0; max-width: 60em; overflow-wrap: anywhere; color: inherit; }
div.dglm p.dglm-title { font-size: 1.1em; }
div.dglm p.dglm-warning { border-left: 0.25em solid; padding-left: 0.6em; font-weight: bold; }
div.dglm div.dglm-facts {
  display: flex; flex-wrap: wrap; align-items: flex-start; gap: 0 2.5em; max-width: 60em; margin: 0.4em 0;
}
div.dglm div.dglm-box { overflow: auto; max-width: 100%; max-height: 40em; margin: 0.4em 0; }
div.dglm table.dglm-table {
  border-collapse: collapse; border: 0; margin: 0; width: auto; min-width: 0; max-width: none; table-layout: auto;
  display: table; color: inherit; background: none; font-size: inherit; font-variant-numeric: tabular-nums;
}
div.dglm div.dglm-facts table.dglm-table { flex: 1 1 22em; max-width: 100%; }
div.dglm table.dglm-table tr:nth-child(n) { background: none; border: 0; }
div.dglm table.dglm-table tr:nth-child(n) > * {
  padding: 0.1em 0.7em; border: 0; background: none; color: inherit; font-size: inherit;
  text-align: right; vertical-align: baseline; white-space: nowrap; max-width: none;
}
div.dglm table.dglm-table tr:nth-child(n) > th:first-child { text-align: left; padding-left: 0; }
div.dglm div.dglm-facts tr:nth-child(n) > th { font-weight: normal; }
div.dglm div.dglm-facts tr:nth-child(n) > td {
  width: 100%; white-space: normal; overflow-wrap: anywhere; padding-right: 0;
}
div.dglm div.dglm-facts tr:nth-child(n) > * { border-bottom: 1px solid var(--dglm-line, rgba(128, 128, 128, 0.4)); }
div.dglm div.dglm-box thead tr:nth-child(n) > * { border-bottom: 1px solid; font-weight: bold; }
div.dglm div.dglm-box table.dglm-table { border-top: 2px solid; border-bottom: 2px solid; }
div.dglm div.dglm-box tbody tr:nth-child(n) > th { font-weight: normal; }
div.dglm div.dglm-box tbody tr:hover > * { background: rgba(128, 128, 128, 0.15); }
div.dglm div.dglm-box tfoot tr:nth-child(n) > th { font-weight: normal; }
div.dglm div.dglm-box tfoot tr:first-child > * { border-top: 1px solid; }
div.dglm table.dglm-estimates tr:nth-child(n) > :not(:first-child) { text-align: center; }
@media print { div.dglm div.dglm-box { max-height: none; } }
</style>"""


def as_html(sheet: Sheet) -> str:
    """Return a sheet as HTML.

    Parameters
    ----------
    sheet : Sheet
        What is written.

    Returns
    -------
    str
        A ``div`` of class ``dglm``, with its style.
    """
    title = escape(sheet.title)
    parts = ['<div class="dglm">', STYLE]
    if title:
        parts.append(f'<p class="dglm-title"><strong>{title}</strong></p>')
    if sheet.left or sheet.right:
        columns = [_facts(facts) for facts in (sheet.left, sheet.right) if facts]
        parts += ['<div class="dglm-facts">', *columns, "</div>"]
    parts += [sheet.drawing] if sheet.drawing else []
    if sheet.header:
        # a box that scrolls can be reached by keyboard
        parts += [f'<div class="dglm-box" role="region" aria-label="{title}" tabindex="0">', *_table(sheet), "</div>"]
    parts += [_note(note) for note in sheet.notes]
    return "\n".join([*parts, "</div>"])


def _facts(facts: Sequence[Fact]) -> str:
    rows = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in facts)
    return "\n".join(['<table class="dglm-table">', *rows, "</table>"])


def _table(sheet: Sheet) -> list[str]:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in sheet.header)
    kind = "dglm-table dglm-estimates" if sheet.brackets else "dglm-table"
    lines = [f'<table class="{kind}">', "<thead>", f"<tr><th></th>{titles}</tr>", "</thead>"]
    for part, rows in (("tbody", sheet.rows), ("tfoot", sheet.foot)):
        lines += [f"<{part}>", *map(_row, rows), f"</{part}>"] if rows else []
    return [*lines, "</table>"]


def _row(row: Row) -> str:
    name, cells = row
    first = f'<th scope="row">{escape(name)}</th>' if name else "<th></th>"
    return f"<tr>{first}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _note(note: str) -> str:
    kind = "dglm-note dglm-warning" if note.startswith("WARNING") else "dglm-note"
    return f'<p class="{kind}">{escape(note)}</p>'
