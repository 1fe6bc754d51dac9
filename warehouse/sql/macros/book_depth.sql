-- What rests in a reading of a book within pct of its mid, both sides, USD; null where a side is
-- empty, or where the reading may have left off levels within pct: it gives 20 a side at most.
-- Lists as in order_books.  See docs/definitions.md, "Overlays".
--
-- gives: USD | what rests within pct of the mid, both sides | a side is empty, or the reading may not
--        reach so far
-- macro: book_depth(bids, asks, pct)
list_transform([(bids[1].px + asks[1].px) / 2], lambda mid: if(
    mid is not null
    and (len(bids) < 20 or bids[-1].px < mid * (1 - pct / 100.0))
    and (len(asks) < 20 or asks[-1].px > mid * (1 + pct / 100.0)),
    coalesce(list_sum(list_transform(
        list_filter(bids, lambda level: level.px >= mid * (1 - pct / 100.0)),
        lambda level: level.px * level.size
    )), 0)
    + coalesce(list_sum(list_transform(
        list_filter(asks, lambda level: level.px <= mid * (1 + pct / 100.0)),
        lambda level: level.px * level.size
    )), 0),
    null
))[1]
