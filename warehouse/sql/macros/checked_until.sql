-- The end of [since, until), or an error that says what is allowed.  A range is at most 20 years long:
-- its hours are looked up one by one.
--
-- macro: checked_until(since, until)
case
    when not isfinite(since::timestamptz) or not isfinite(until::timestamptz) then error('since and until must be moments')
    when
        since::timestamptz < until::timestamptz
        and epoch_us(until::timestamptz) - epoch_us(since::timestamptz) <= 7320 * 86400000000
        then until::timestamptz
    else error(
        'until ' || coalesce(until::varchar, 'null') || ' is not allowed; use a moment after since, '
        || coalesce(since::varchar, 'null') || ', at most 20 years later'
    )
end
