-- The length of an interval in microseconds, or an error that says what is allowed.  Months are
-- refused, for they have no fixed length, and so is what would cut a range into millions of rows.
--
-- gives: microseconds | the length of an interval | never
-- macro: checked_every(every, since, until)
case
    when
        date_part('month', try_cast(every as interval)) = 0
        and date_part('year', try_cast(every as interval)) = 0
        and epoch_us(try_cast(every as interval)) >= 1000000
        and epoch_us(try_cast(every as interval)) <= 31622400000000
        and coalesce(
            (epoch_us(try_cast(until as timestamptz)) - epoch_us(try_cast(since as timestamptz)))
            / epoch_us(try_cast(every as interval)) <= 1000000,
            true
        )
        then epoch_us(try_cast(every as interval))
    else error(
        'every ' || coalesce(every::varchar, 'null')
        || ' is not allowed; use 1 second to 366 days, not months, and at most 1000000 intervals'
    )
end
