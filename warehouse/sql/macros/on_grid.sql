-- The start of the interval of every_us that a moment lies in; intervals are counted from 1970.
--
-- gives: none | the start of the interval | moment is null
-- macro: on_grid(moment, every_us)
make_timestamptz((epoch_us(moment) // every_us) * every_us)
