-- The width of a bucket in percent, or an error that says what is allowed.
--
-- gives: per cent | the width | never
-- macro: checked_width(width_pct)
case
    when try_cast(width_pct as double) >= 0.0001 and try_cast(width_pct as double) <= 100
        then try_cast(width_pct as double)
    else error('width_pct ' || coalesce(width_pct::varchar, 'null') || ' is not allowed; use a number from 0.0001 to 100')
end
