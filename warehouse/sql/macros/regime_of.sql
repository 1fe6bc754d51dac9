-- How evenly two sides lie: symmetric below 2, tilted to 4, fragile above, or where one side holds
-- nothing; null where neither holds anything.
--
-- gives: none | symmetric, tilted or fragile | neither side holds anything
-- macro: regime_of(long_notional, short_notional)
case
    when greatest(long_notional, short_notional) = 0 then null
    when coalesce(ratio_of(long_notional, short_notional) > 4, true) then 'fragile'
    when ratio_of(long_notional, short_notional) >= 2 then 'tilted'
    else 'symmetric'
end
