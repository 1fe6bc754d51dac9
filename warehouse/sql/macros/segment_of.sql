-- The segment that an amount falls into, of one kind: size (account value, USD) or profit (realised,
-- USD).  Null belongs to the unknown segment of its kind, never to the smallest.
--
-- gives: none | the segment | never
-- macro: segment_of(kind, amount)
list_filter(segment_list(), lambda a_segment: a_segment.kind = checked_kind(kind) and if(
    amount is null,
    a_segment.at_least is null and a_segment.below is null,
    not (a_segment.at_least is null and a_segment.below is null)
    and coalesce(amount >= a_segment.at_least, true)
    and coalesce(amount < a_segment.below, true)
))[1].segment
