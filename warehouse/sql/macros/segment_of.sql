-- The segment that an amount falls into, of one kind: size (account value, USD) or profit (realised,
-- USD).  Null belongs to the unknown segment of its kind, never to the smallest.
--
-- gives: none | the segment | never
-- macro: segment_of(kind, amount)
list_extract(
    list_transform(
        list_filter(segment_list(), lambda a_segment: a_segment.kind = kind),
        lambda a_segment: a_segment.segment
    ),
    case
        when checked_kind(kind) is null or amount is null then -1
        -- As many as begin at or below it: a tenth of the time that a search of them takes, as the
        -- lists are constant where the kind is.
        else 1 + len(list_filter(
            list_transform(
                list_filter(
                    segment_list(),
                    lambda a_segment: a_segment.kind = kind and a_segment.at_least is not null
                ),
                lambda a_segment: a_segment.at_least
            ),
            lambda a_bound: a_bound <= amount
        ))
    end
)
