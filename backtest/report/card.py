"""This module writes the research card: what names the study, and how to do it again."""

import json

from backtest.report.facts import Facts
from warehouse.report.markup import Html, element, panel


def card_section(facts: Facts) -> Html:
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
    return panel(
        "Research card",
        element(
            "p",
            "The same question of the same rows by the same code gives the same bytes. "
            + _code(facts),
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


def _code(facts: Facts) -> str:
    """Return whether the code that ran is the code that is here."""
    if facts.same_code is None:
        names = ", ".join(facts.question["code"])
        return (
            "The package is the one that ran. Whether the rule’s own code is cannot be told: "
            f"its file is not here ({names})."
        )
    rules = " and the rule’s own file" if facts.question.get("code") else ""
    if facts.same_code:
        return f"The code that draws this page{rules} is the code that ran."
    return f"The code that draws this page{rules} is not the code that ran."
