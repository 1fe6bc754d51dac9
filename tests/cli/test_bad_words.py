"""What the command line cannot ask is refused in one line that says what is allowed."""

import pytest

from tests.cli.inside import refused, run
from tests.rows import T0, land_snapshot, position


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = tmp_path_factory.mktemp("landed")
    land_snapshot(lake, [position("BTC", 1, 1.0, 100.0, 90.0)], T0)
    return lake


AT_T0 = ("--at", f"{T0:%Y-%m-%dT%H:%MZ}")
OVER = ("--from", "2026-01-01T00:00Z", "--to", "2026-01-03T00:00Z")
BACK = ("--from", "2026-01-03T00:00Z", "--to", "2026-01-01T00:00Z")
VERBS = [
    *(
        (verb, coin, *AT_T0, said)
        for verb in ("map", "coverage", "scenarios", "joint-map")
        for coin, said in (("BTX", "near it: BTC"), ("", "is not known by then"))
    ),
    *(
        (verb, "BTC", "--at", text, said)
        for verb in ("map", "coverage", "scenarios", "joint-map")
        for text, said in (
            ("2026-01-02T00:00", "if it is UTC, write it as 2026-01-02T00:00:00Z"),
            ("yesterday", "write it as 2026-02-05T12:00Z"),
            ("", "write it as 2026-02-05T12:00Z"),
            ("infinity", "write it as 2026-02-05T12:00Z"),
            ("9999-01-01T00:00Z", "years are 2000 to 2199"),
        )
    ),
    *(
        ("map", "BTC", *AT_T0, "--width", width, "use a number from 0.0001 to 100")
        for width in ("0", "-1", "nan", "inf", "101")
    ),
    ("map", "BTC", *AT_T0, "--width", "a", "is not a valid float"),
    *(
        ("scenarios", "BTC", *AT_T0, "--pct", pct, "use whole numbers from 1 to 50")
        for pct in ("0", "51", "2.5", "-5", "", "5,,6", "nan", "٥")
    ),
    ("scenarios", "BTC", *AT_T0, "--pct", "0,5,51", "--pct '0', '51' is not allowed"),
    *(
        ("joint-map", "BTC", *AT_T0, *wrong, said)
        for wrong, said in (
            (("--width", "0"), "use 0.0001 to 100"),
            (("--width", "nan"), "use 0.0001 to 100"),
            (("--beta", "ETH"), "write it as ETH=1.2"),
            (("--beta", "BTC=99"), "use -10 to 10"),
            (("--beta", "BTC=nan"), "use -10 to 10"),
            (("--beta", "BTX=1"), "is not known by then"),
            (("--others", "inf"), "use -10 to 10"),
        )
    ),
    ("changes", "BTX", *OVER, "near it: BTC"),
    (
        "changes",
        "BTC",
        *BACK,
        "to_at 2026-01-01 00:00:00+00 is not allowed; use a moment after from",
    ),
    ("changes", "BTC", *OVER, "--width", "-1", "use a number from 0.0001 to 100"),
    ("changes", "BTC", "--from", "x", "--to", "y", "write it as 2026-02-05T12:00Z"),
    ("risk", "nope", *AT_T0, "use all, shrimp, fish"),
    ("risk", "", *AT_T0, "use all, shrimp, fish"),
    ("risk", "all", "--at", "x", "write it as 2026-02-05T12:00Z"),
    ("risk", "all", *AT_T0, "--threshold", "0", "use a number above 0, up to 100"),
    ("risk", "all", *AT_T0, "--threshold", "nan", "use a number above 0, up to 100"),
    *(
        (verb, *wrong, said)
        for verb in ("flow", "cascades")
        for wrong, said in (
            (("BTX", *OVER), "near it: BTC"),
            (("", *OVER), "name one, as BTC"),
            (("BTC", *BACK), "use a moment after"),
            (("BTC", "--from", "2026-01-01", "--to", "y"), "has no time zone"),
        )
    ),
    *(
        ("flow", "BTC", *OVER, "--every", text, "write 30s, 15m, 1h or 1d")
        for text in ("0s", "-1h", "1mo", "", "367d", "1.5h", "h", "٣h")
    ),
    ("survival", *BACK, "use a moment after"),
    ("survival", "BTX", *OVER, "near it: BTC"),
    ("survival", *OVER, "--by", "age", "is not one of"),
    ("report", "--coin", "BTX", "near it: BTC"),
    ("report", "--at", "x", "write it as 2026-02-05T12:00Z"),
    ("sql", "", "one statement, a SELECT"),
    ("sql", "select 1; select 2", "one statement, a SELECT"),
    ("sql", "selec 1", "syntax error"),
    ("sql", "from nowhere", "nowhere"),
    ("compact", "--table", "nope", "nope"),
    ("compact", "--from", "x", "does not match"),
    ("compact", "--grace", "x", "x"),
    ("marts", "--from", "x", "does not match"),
    ("gaps", "--table", "nope", "nope"),
    ("check", "--freshness", "--table", "nope", "nope"),
    ("check", "--max-age", "x", "x"),
]


@pytest.mark.parametrize(
    "words", VERBS, ids=[" ".join((*case[:-1],)).replace("2026-01", "") for case in VERBS]
)
def test_the_command_line_refuses_in_one_line(lake, words):
    *args, said = words
    assert said in refused(run(*args, lake=lake))
