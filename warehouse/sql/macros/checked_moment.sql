-- A moment that says its zone, null where it is not known, or an error that says what is allowed: a
-- TIMESTAMPTZ, or text with Z, UTC or an offset.  A TIMESTAMP, a DATE or text without a zone would mean
-- the zone of whoever asks.  Within a lambda, so that what is given is planned once.
--
-- gives: none | the moment | it is null
-- macro: checked_moment(given, name)
list_transform([given], lambda moment: case
    when moment is null then null
    when
        typeof(moment) = 'TIMESTAMP WITH TIME ZONE'
        or regexp_full_match(
            moment::varchar, '.*:\d\d?(\.\d+)?\s*(Z|UTC|[+-]\d\d(:?\d\d){0,2})\s*'
        )
        then case
            when isfinite(try_cast(moment as timestamptz)) then try_cast(moment as timestamptz)
            else error(name || ' ' || moment::varchar || ' is not allowed; use a moment, as 2026-02-05T12:00Z')
        end
    when isfinite(try_cast(moment as timestamp)) then error(
        name || ' ' || moment::varchar || ' has no time zone; if it is UTC, write it as '
        || replace(try_cast(moment as timestamp)::varchar, ' ', 'T') || 'Z'
    )
    else error(name || ' ' || moment::varchar || ' is not allowed; use a moment, as 2026-02-05T12:00Z')
end)[1]
