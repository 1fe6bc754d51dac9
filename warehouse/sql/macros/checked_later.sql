-- The later of two moments, or an error if it is not later, or one of them is missing.
--
-- gives: none | the later moment | never
-- macro: checked_later(from_at, later, name)
list_transform(
    [{'earlier': checked_moment(from_at, 'from_at'), 'later': checked_moment(later, name)}],
    lambda pair: case
        when pair.earlier < pair.later then pair.later
        else error(
            name || ' ' || coalesce(later::varchar, 'null') || ' is not allowed; use a moment after from_at, '
            || coalesce(from_at::varchar, 'null')
        )
    end
)[1]
