-- Width of a bucket in USD, or an error that says which widths are allowed.  Bounded, for the number of
-- a bucket must be a whole one: 1e-8 USD reach up to prices of 9e10.
--
-- gives: USD | the width | never
-- macro: checked_ticks(width_px)
case
    when try_cast(width_px as double) >= 1e-8 and try_cast(width_px as double) <= 1e9
        then try_cast(width_px as double)
    else error(
        'width_px ' || coalesce(width_px::varchar, 'null')
        || ' is not allowed; use USD from 0.00000001 to 1000000000, as 100'
    )
end
