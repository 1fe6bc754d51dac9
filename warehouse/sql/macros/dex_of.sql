-- The dex that a coin is traded on: what stands before the colon, or the venue's first.
--
-- macro: dex_of(coin)
if(contains(coin, ':'), split_part(coin, ':', 1), 'hyperliquid')
