-- The length of a bar from its word, 1m, 5m, 1h, 1d, or an error that says what is allowed: bars tile
-- the hour or the day, so that there is no bar of 7 minutes.
--
-- gives: none | length of the bar, an interval | never
-- macro: bar_length(word)
case
    when regexp_full_match(word, '([1-6]|10|12|15|20|30)m') then to_minutes(regexp_extract(word, '\d+')::bigint)
    when regexp_full_match(word, '([12346]|8|12)h') then to_hours(regexp_extract(word, '\d+')::bigint)
    when regexp_full_match(word, '[1-7]d') then to_hours(24 * regexp_extract(word, '\d+')::bigint)
    else error(
        'interval ' || coalesce('''' || word || '''', 'null')
        || ' is not allowed; use minutes that divide an hour, hours that divide a day, or 1 to 7 days, as 1m, 1h, 1d'
    )
end
