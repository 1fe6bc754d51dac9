-- The length of a bar from its word, 1m, 5m, 1h, 1d, or an error that says what is allowed.
--
-- macro: bar_length(word)
case
    when regexp_full_match(word, '[1-9]\d{0,2}m') then to_minutes(regexp_extract(word, '\d+')::bigint)
    when regexp_full_match(word, '[1-9]\d?h') then to_hours(regexp_extract(word, '\d+')::bigint)
    when regexp_full_match(word, '[1-7]d') then to_hours(24 * regexp_extract(word, '\d+')::bigint)
    else error('interval ' || coalesce(word, 'null') || ' is not allowed; use minutes, hours or days, as 1m, 1h, 1d')
end
