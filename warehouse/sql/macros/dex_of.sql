-- The dex that a coin is traded on: what stands before the colon, or the venue's first.
--
-- gives: none | the dex | coin is null
-- macro: dex_of(coin)
if(contains(coin, ':'), split_part(coin, ':', 1), 'hyperliquid')
