"""What a page of a report says: its words, its tags and its figures."""

import json
import re
from html.parser import HTMLParser


class Words(HTMLParser):
    """Collects the text of a page, what its tags load, and its figures with their names."""

    def __init__(self, html):
        super().__init__()
        self.said, self.tags, self.loads, self.figures, self.inside = [], [], [], [], None
        self.named, self.label = [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.inside = attributes.get("type", tag) if tag in ("script", "style") else None
        self.loads += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "figure":
            self.label = attributes["aria-label"]

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "application/json":
            self.figures.append(json.loads(data))
            self.named.append((self.label, self.figures[-1]))
        elif self.inside is None:
            self.said.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.said))


def read(path):
    return Words(path.read_text(encoding="utf-8"))
