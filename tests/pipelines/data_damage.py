"""Files that something happened to: strategies that change their bytes and their values."""

from hypothesis import settings
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError

# Twice the profile's examples: 100, or as many as a thorough run asks for.
hostile = settings(max_examples=2 * settings().max_examples)


def unless_refused(translate, *given):
    """Return what a translation makes of ``given``; None if it refuses, in one line."""
    try:
        return translate(*given)
    except SourceError as error:
        said = str(error)
    assert len(said.splitlines()) == 1, said
    return None


TOKENS = [
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xa8",
    b"\\ud800",
    b'"',
    b"'",
    b",",
    b",,",
    b"-",
    b"0",
    b"9" * 400,
    b"1e999",
    b"-1e308",
    b"NaN",
    b"Infinity",
    b"null",
    b"true",
    b"[",
    b"[" * 1100,
    b"[" * 1010 + b"]" * 1010,
    b"{}",
    b"}",
    b":",
    b" ",
    b"e",
    b".",
]


@st.composite
def damaged(draw, body):
    """Return ``body`` after up to four cuts, insertions, replacements and repetitions."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        until = draw(st.integers(at, min(len(body), at + 40)))
        piece = draw(
            st.sampled_from([*TOKENS, b"", body[at:until] * 2]) | st.binary(max_size=3)
        )
        body = body[:at] + piece + body[until:]
    return body


ODD = ["NaN", "inf", "-1", "0", "1e400", "0x10", " 1", "1_0", "1.5", "٣", "BTC"]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
