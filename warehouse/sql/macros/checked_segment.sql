-- The name of a segment, or of all accounts, or an error that says which there are.
--
-- gives: none | the name | never
-- macro: checked_segment(segment)
case
    when segment = 'all'
        or list_contains(list_transform(segment_list(), lambda a_segment: a_segment.segment), segment)
        then segment
    else error(
        'segment ' || coalesce('''' || segment || '''', 'null') || ' is not known; use all, '
        || list_aggregate(
            list_transform(segment_list(), lambda a_segment: a_segment.segment), 'string_agg', ', '
        )
    )
end
