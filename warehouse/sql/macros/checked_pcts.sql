-- Scenario percentages, or an error that says what is allowed.
--
-- gives: per cent | the percentages, whole numbers | never
-- macro: checked_pcts(pcts)
list_transform(coalesce(try_cast(pcts as varchar[]), [pcts::varchar]), lambda pct: case
    when
        try_cast(pct as double) >= 1
        and try_cast(pct as double) <= 50
        and try_cast(pct as double) = floor(try_cast(pct as double))
        then try_cast(pct as integer)
    else error('pct ' || coalesce(pct::varchar, 'null') || ' is not allowed; use whole numbers from 1 to 50')
end)
