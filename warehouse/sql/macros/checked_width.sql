-- The width of a bucket in percent, or an error that says what is allowed.
--
-- macro: checked_width(width_pct)
case
    when width_pct >= 0.0001 and width_pct <= 100 then width_pct::double
    else error('width_pct ' || coalesce(width_pct::varchar, 'null') || ' is not allowed; use a number from 0.0001 to 100')
end
