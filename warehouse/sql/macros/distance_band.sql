-- The band that the distance to a liquidation price falls into, per cent of the mark; null: there is no
-- price.  A position past its price is in the nearest.  Bands are half-open; see
-- docs/definitions.md, Survival.
--
-- gives: none | the band, as 2 to 5 % | distance_pct is null
-- macro: distance_band(distance_pct)
case
    when distance_pct < 2 then '0 to 2 %'
    when distance_pct < 5 then '2 to 5 %'
    when distance_pct < 10 then '5 to 10 %'
    when distance_pct < 25 then '10 to 25 %'
    when distance_pct < 50 then '25 to 50 %'
    when distance_pct >= 50 then '50 % and more'
end
