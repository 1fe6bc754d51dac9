-- A moment, null where it is not known, or an error if it is none.
--
-- macro: checked_at("at")
case
    when isfinite("at"::timestamptz) then "at"::timestamptz
    when "at" is not null then error('at ' || "at"::varchar || ' is not allowed; use a moment')
end
