-- A share of the way to liquidation in percent, or an error that says what is allowed.
--
-- gives: per cent | the share of the way | never
-- macro: checked_threshold(threshold_pct)
case
    when try_cast(threshold_pct as double) > 0 and try_cast(threshold_pct as double) <= 100
        then try_cast(threshold_pct as double)
    else error(
        'threshold_pct ' || coalesce(threshold_pct::varchar, 'null') || ' is not allowed; use a number above 0, up to 100'
    )
end
