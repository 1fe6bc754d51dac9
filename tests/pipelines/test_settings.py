from pathlib import Path

import pytest

from pipelines.jobs.names import SOURCES
from pipelines.settings import (
    Run,
    Schedule,
    SettingsError,
    Venue,
    read_settings,
    settings_of,
)

WHOLE = """
lake = "s3://bucket/lake"
[roots]
reservoir = "mirror"
[venue]
url = "http://127.0.0.1:1"
reserve = 0
books = 3
[schedule]
nightly = "0 3 * * *"
[run]
runner = "dask:tcp://host:8786"
workers = 4
max_usd = 1
"""


def written(tmp_path, text):
    file = tmp_path / "undertow.toml"
    file.write_text(text)
    return file


def test_what_is_said_counts_and_the_rest_is_as_documented(tmp_path):
    settings = read_settings(written(tmp_path, WHOLE))
    assert (settings.lake, settings.roots) == ("s3://bucket/lake", {"reservoir": "mirror"})
    assert (settings.venue.url, settings.venue.reserve) == ("http://127.0.0.1:1", 0.0)
    assert (settings.venue.books, settings.venue.hourly_minutes) == (3, 10.0)
    assert (settings.schedule.hourly, settings.schedule.nightly) == ("5 * * * *", "0 3 * * *")
    assert (settings.run.runner, settings.run.max_usd) == ("dask:tcp://host:8786", 1.0)


def test_the_file_that_is_shown_says_what_is_so_without_it():
    shown = read_settings(Path(__file__).parents[2] / "data/undertow.toml")
    assert (shown.venue, shown.schedule, shown.run) == (Venue(), Schedule(), Run())
    assert set(shown.roots) <= set(SOURCES)


def test_settings_survive_being_told_to_another_machine(tmp_path):
    settings = read_settings(written(tmp_path, WHOLE))
    assert settings_of(settings.plain()) == settings
    alone = settings_of({"roots": {"reservoir": "mirror"}})
    assert alone.venue is None
    assert settings_of(alone.plain()) == alone


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"give a root \(of market_files, .*\) or a \[venue\]"),
        ("[roots]\n", "give a root"),
        ("[roots]\nreservoire = 'x'", "roots: reservoire is not known; did you mean reservoir"),
        ("[roots]\nreservoir = 3", "roots.reservoir: must be str, is 3"),
        ("root = 1", "root is not known; did you mean roots"),
        ("roots = 1", r"\[roots\]: must be dict, is 1"),
        ("[venue]\nurl = 'x'\nbook = 2", r"\[venue\]: book is not known; did you mean books"),
        ("[venue]\nbooks = 2.5", r"\[venue\] books: must be int, is 2.5"),
        ("[venue]\nbooks = true", r"\[venue\] books: must be int, is True"),
        ("[venue]\n[run]\nrunner = 'spark'", "run.runner: must be one of threads, dask, ray"),
        ("[venue]\nhourly_minutes = 60", "venue.hourly_minutes: must be above 0 and below 60"),
        ("[venue]\nhourly_minutes = 0", "below 60, as the next hour asks again, is 0$"),
        ("[venue]\n[run]\nworkers = 0", "run.workers: must be above 0, is 0"),
        ("[venue", "settings .*undertow.toml: "),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said) as error:
        read_settings(written(tmp_path, text))
    assert "\n" not in str(error.value)
