-- The band that a position's chosen leverage falls into; null: not given.  Bands are half-open; see
-- docs/definitions.md, Survival.
--
-- gives: none | the band, as 3x to 5x | leverage is null
-- macro: leverage_band(leverage)
case
    when leverage < 3 then '1x to 3x'
    when leverage < 5 then '3x to 5x'
    when leverage < 10 then '5x to 10x'
    when leverage < 20 then '10x to 20x'
    when leverage >= 20 then '20x and more'
end
