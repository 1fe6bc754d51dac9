-- The end of [since, until), or an error that says what is allowed.  A range is at most 20 years long:
-- its hours are looked up one by one.
--
-- gives: none | the end of the range | never
-- macro: checked_until(since, until)
list_transform(
    [{'since': checked_moment(since, 'since'), 'until': checked_moment(until, 'until')}],
    lambda span: case
        when
            span.since < span.until
            and epoch_us(span.until) - epoch_us(span.since) <= 7320 * 86400000000
            then span.until
        else error(
            'until ' || coalesce(until::varchar, 'null') || ' is not allowed; use a moment after since, '
            || coalesce(since::varchar, 'null') || ', at most 20 years later'
        )
    end
)[1]
