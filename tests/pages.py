"""What a page of HTML has in it, for tests of reports; `browser` says how it looks."""

import re
from html.parser import HTMLParser
from pathlib import Path


class Content(HTMLParser):
    """What a page has: text by section, names of images, and every address and script in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections, self.images, self.addresses, self.tags, self._open = {}, [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag not in {"meta", "img", "br", "link"}:
            self._open.append(tag)
        if tag == "img":
            self.images.append(attrs["alt"])
        self.addresses += [value for name, value in attrs.items() if name in {"src", "href", "srcset", "action"}]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, text):
        if self._open and self._open[-1] == "h2":
            self.sections[text] = ""
        elif self.sections and "style" not in self._open:
            self.sections[list(self.sections)[-1]] += f"{text} "


def content(path: Path) -> Content:
    """Return what is in a file."""
    return Content(path.read_text(encoding="utf-8"))


def check_alone(path: Path) -> None:
    """Check that a file asks for nothing and runs nothing."""
    text, page = path.read_text(encoding="utf-8"), content(path)
    assert "script" not in page.tags
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert not re.search(r"url\(|@import|https?://", re.sub(r'src="data:[^"]*"', "", text))
    assert "default-src 'none'" in text
    assert len(text) < 1_500_000
