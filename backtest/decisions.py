"""This module holds what a rule decided on one coin at the close of every bar."""

from dataclasses import dataclass
from dataclasses import fields as fields_of

import numpy as np

from backtest.records import DECISION, LIMIT, MARKET, STOP_ENTRY, empty

KINDS = {"market": MARKET, "limit": LIMIT, "stop": STOP_ENTRY}


@dataclass(frozen=True, slots=True)
class Decisions:
    """One decision per bar, made at its close from nothing later.

    Attributes
    ----------
    orders : DECISION[n]
        What is asked of the venue; see :mod:`backtest.records`.
    wanted : int8[n]
        Side that was wanted before a filter refused; of most rules the side itself.
    snapshot_ts : datetime64[us][n]
        Snapshot whose map the decision used, UTC; NaT: it used none.
    unmapped : bool[n]
        Decisions that asked for map or flow where none was known.
    cluster_px : float64[n]
        Edge of the cluster that set the target, USD; NaN: none did.
    """

    orders: np.ndarray
    wanted: np.ndarray
    snapshot_ts: np.ndarray
    unmapped: np.ndarray
    cluster_px: np.ndarray

    @classmethod
    def of(cls, side: np.ndarray, *, kind: str = "market", **fields: object) -> "Decisions":
        """Return decisions to enter on ``side``, at the market unless told otherwise.

        Parameters
        ----------
        side : int8[n]
            +1 long, -1 short, 0 nothing; true is long.
        kind
            ``market``; ``limit`` or ``stop``: it rests at ``px`` for ``good_for`` bars.
        fields
            Other fields of :data:`backtest.records.DECISION`, each one number or one per bar.

        Examples
        --------
        >>> made = Decisions.of(np.array([0, 1, 0]), stop_fraction=0.02, notional=1e4)
        >>> made.side.tolist(), made.orders["stop_fraction"].tolist()
        ([0, 1, 0], [0.02, 0.02, 0.02])
        """
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} must be one of {', '.join(KINDS)}")
        orders = empty(len(side), DECISION)
        orders["kind"], orders["good_for"] = KINDS[kind], 1
        n = len(side)
        unused = np.full(n, "NaT", dtype="datetime64[us]")
        nothing = cls(
            orders, np.asarray(side, np.int8), unused, np.zeros(n, bool), np.full(n, np.nan)
        )
        return nothing.but(side=side, **fields)

    def but(
        self,
        *,
        wanted: np.ndarray | None = None,
        snapshot_ts: np.ndarray | None = None,
        unmapped: np.ndarray | None = None,
        cluster_px: np.ndarray | None = None,
        **fields: object,
    ) -> "Decisions":
        """Return a copy with other fields.

        Raises
        ------
        ValueError
            If a field is not one of a decision.
        """
        orders = self.orders.copy()
        for name, values in fields.items():
            if name not in (DECISION.names or ()):
                raise ValueError(
                    f"{name!r} is no field of a decision; there are {', '.join(DECISION.names)}"
                )
            orders[name] = values
        return Decisions(
            orders,
            self.wanted if wanted is None else wanted,
            self.snapshot_ts if snapshot_ts is None else snapshot_ts,
            self.unmapped if unmapped is None else unmapped,
            self.cluster_px if cluster_px is None else cluster_px,
        )

    def since(self, row: int) -> "Decisions":
        """Return the decisions from ``row`` on."""
        return Decisions(*(getattr(self, field.name)[row:] for field in fields_of(self)))

    @property
    def side(self) -> np.ndarray:
        """Return the side of each entry, 0 where there is none."""
        return self.orders["side"]

    @property
    def target_px(self) -> np.ndarray:
        """Return each target that is a price, USD; NaN: there is none."""
        return self.orders["target_px"]

    def __len__(self) -> int:
        """Return the number of bars."""
        return self.orders.size

    def check(self) -> None:
        """Raise if a number is one that no venue would take.

        Raises
        ------
        ValueError
            If a side is not -1, 0 or +1; a distance is not above 0, or is 1 or more where the
            level would not be above 0; a price is not above 0; a resting entry has none; a
            size or a count is below 0; or an entry has no size at all.
        """
        orders, side = self.orders, self.side
        for name in ("side", "only_side"):
            if not np.isin(orders[name], (-1, 0, 1)).all():
                raise ValueError(f"{name} must be -1, 0 or 1")
        long = side > 0
        falls = {"stop_fraction": long, "trail_fraction": long, "target_fraction": side < 0}
        for name, under in falls.items():
            distance = orders[name]
            wrong = (distance <= 0) | np.isinf(distance) | (under & (distance >= 1))
            if wrong.any():
                raise ValueError(
                    f"{name} {distance[wrong][0]:g} is not allowed; it must be above 0, and "
                    "below 1 where the level lies under the entry"
                )
        for name in ("px", "stop_px", "target_px", "move_stop_px", "move_target_px"):
            wrong = (orders[name] <= 0) | np.isinf(orders[name])
            if wrong.any():
                raise ValueError(f"{name} {orders[name][wrong][0]:g} must be above 0")
        enters = side != 0
        if (enters & (orders["kind"] != MARKET) & np.isnan(orders["px"])).any():
            raise ValueError("px must be given where a limit or a stop entry is decided")
        for name in ("max_bars", "good_for"):
            if (orders[name] < 0).any():
                raise ValueError(f"{name} {orders[name].min()} must be 0 or more")
        for name in ("notional", "share"):
            wrong = (orders[name] < 0) | np.isinf(orders[name])
            if wrong.any():
                raise ValueError(f"{name} {orders[name][wrong][0]:g} must be 0 or more")
        size = np.nansum([orders["notional"], orders["share"]], axis=0)
        if (enters & ~(size > 0)).any():
            raise ValueError("an entry must have a size: notional or share above 0")
