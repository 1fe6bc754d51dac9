-- The later of two moments, or an error if it is not later, or one of them is missing.
--
-- macro: checked_later(from_at, to_at)
case
    when from_at::timestamptz < to_at::timestamptz then to_at::timestamptz
    else error(
        coalesce(to_at::varchar, 'null') || ' is not allowed; use a moment after ' || coalesce(from_at::varchar, 'null')
    )
end
