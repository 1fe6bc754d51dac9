"""A venue with two dexes, and sweeps of it."""

from datetime import UTC, datetime

from pipelines.steps import sweep_now as module
from pipelines.steps.discover import VAULTS
from pipelines.steps.sweep_now import sweep_now
from tests.pipelines.data_info import client_of
from tests.pipelines.test_info_answers import CONTEXT, META, POSITION
from tests.pipelines.test_info_hostile import TRADE
from tests.rows import account
from warehouse import open_lake

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
ONE, TWO, THREE = account(1), account(2), account(3)
XYZ_META = {
    "universe": [{"name": "xyz:TSLA", "szDecimals": 3, "maxLeverage": 10, "marginTableId": 10}],
    "marginTables": [],
}


class Venue:
    """Two dexes; ONE trades on both, TWO on the first, and nobody knows THREE."""

    def __init__(self):
        self.now = NOW
        self.asked = []
        self.meta = {"": META, "xyz": XYZ_META}
        self.modes = {}
        self.spot = {}
        self.answers = {
            "perpDexs": [None, {"name": "xyz"}],
            "meta": lambda body: self.meta[body.get("dex", "")],
            "metaAndAssetCtxs": self.contexts,
            "recentTrades": self.trades,
            "userAbstraction": lambda body: self.modes.get(body["user"], "default"),
            "spotClearinghouseState": lambda body: self.spot[body["user"]],
            "clearinghouseState": lambda body: self.state(body["user"], body.get("dex", "")),
            "batchClearinghouseStates": lambda body: [
                None if user in VAULTS else self.state(user, body.get("dex", ""))
                for user in body["users"]
            ],
        }

    def contexts(self, body):
        meta = self.meta[body.get("dex", "")]
        return [meta, [CONTEXT] * len(meta["universe"] or [])]

    def trades(self, body):
        users = {"BTC": [ONE, TWO], "xyz:TSLA": [ONE, ONE]}.get(body["coin"], [TWO, TWO])
        return [TRADE | {"coin": body["coin"], "users": users}]

    def state(self, user, dex):
        coin = "xyz:TSLA" if dex else "BTC"
        held = [] if user in VAULTS else [{"position": POSITION | {"coin": coin}}]
        return {
            "assetPositions": held,
            "marginSummary": {"accountValue": "100.0"},
            "time": int(self.now.timestamp() * 1000),
        }

    def count(self, kind, **fields):
        return sum(
            body["type"] == kind and all(body.get(name) == fields[name] for name in fields)
            for body in self.asked
        )


def two_dexes(monkeypatch):
    """Return a venue that sweeps ask, whatever URL they are given."""
    venue = Venue()
    make = client_of(venue.answers, venue.asked)
    monkeypatch.setattr(module, "InfoClient", lambda *_: make())
    return venue


def swept(venue, lake, **options):
    venue.asked.clear()
    return sweep_now(lake, "http://venue", None, now=lambda: venue.now, **options)


def rows(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).fetchall()


def many(venue, count):
    """Let so many accounts trade on the first dex."""
    users = [account(number) for number in range(1, count + 1)]
    venue.answers["recentTrades"] = [
        TRADE | {"coin": "BTC", "tid": number, "users": [user, user]}
        for number, user in enumerate(users)
    ]
