"""This module writes the research card: what names the study, and how to do it again."""

import json

from backtest.report.facts import Facts
from warehouse.report.markup import Html, element, panel


def card_section(facts: Facts, same_code: bool) -> Html:
    """Return names and hashes, the question, and the commands that prove and repeat it."""
    study = facts.study
    lines = [
        ("Study", study["study_id"]),
        ("Runs", " ".join(json.loads(study["runs"])["own"])),
        ("Without the map", " ".join(json.loads(study["runs"])["base"]) or "none"),
        ("Data", study["data_hash"]),
        ("Code", study["code_hash"]),
        ("Seed", str(study["seed"])),
    ]
    today = "is" if same_code else "is not"
    return panel(
        "Research card",
        element(
            "p",
            "The same question of the same rows by the same code gives the same bytes. The "
            f"code that draws this page {today} the code that ran.",
            class_="caption",
        ),
        element(
            "dl",
            [
                element("div", element("dt", name), element("dd", element("code", said)))
                for name, said in lines
            ],
            class_="card-lines",
        ),
        element(
            "pre",
            f"undertow backtest prove {study['study_id']}\n"
            f"undertow backtest reproduce {study['study_id']}",
        ),
        element(
            "details",
            element("summary", "The question, as it was asked"),
            element("pre", json.dumps(facts.question, indent=2, sort_keys=True)),
        ),
    )
