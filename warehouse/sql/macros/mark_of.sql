-- The mark of a coin in one snapshot, USD: the median of the marks its positions were valued at,
-- for a snapshot that is read over seconds holds several.  An aggregate.
--
-- gives: USD | the median of the marks | there is none
-- macro: mark_of(mark_px)
median(mark_px)
