"""This module builds HTML that is escaped unless somebody says it already is HTML."""

from html import escape


class Html(str):
    """Text that already is HTML."""

    __slots__ = ()


def text(child: object) -> Html:
    """Return ``child`` as HTML; what is not yet HTML is escaped.

    >>> text("<b>"), text(Html("<b>")), text(None), text(["a", "&"])
    ('&lt;b&gt;', '<b>', '', 'a&amp;')
    """
    if child is None:
        return Html("")
    if isinstance(child, Html):
        return child
    if isinstance(child, list | tuple):
        return Html("".join(text(one) for one in child))
    return Html(escape(str(child)))


def element(name: str, *children: object, **attributes: object) -> Html:
    """Return an element; an attribute's ``_`` becomes ``-``, and a trailing one is dropped.

    >>> element("p", "a < b", class_="note", data_coin='"')
    '<p class="note" data-coin="&quot;">a &lt; b</p>'
    >>> element("p", hidden=None)
    '<p></p>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{said}>{text(children)}</{name}>")


def rows_table(head: list[object], rows: list[list[object]], class_: str = "") -> Html:
    """Return a table; each cell carries its column's name, which narrow pages show."""
    titles = element("tr", [element("th", title, scope="col") for title in head])
    body = [
        element(
            "tr",
            [
                element("td", element("div", cell), data_label=title)
                for title, cell in zip(head, row, strict=True)
            ],
        )
        for row in rows
    ]
    return element("table", element("thead", titles), element("tbody", body), class_=class_)


def panel(title: str, *content: object, class_: str = "panel") -> Html:
    """Return a titled panel."""
    return element("section", element("h3", title), *content, class_=class_)


def nothing(*said: object) -> Html:
    """Return a sentence in the place of what cannot be shown."""
    return element("p", *said, class_="nothing")
