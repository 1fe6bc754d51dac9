-- A coin that a source had told of by a moment, as the lake knows (see coins), null for null, or an
-- error that names the nearest.  With knowable, one that could be known by then: so no row of the
-- future decides what is an error.  A lake that knew no coin by then lets every name pass.  With
-- with_end := false what is of the moment itself does not count: it ends a range.
--
-- gives: none | the coin | it is null
-- macro: checked_coin(given, moment, knowable, with_end := true)
(
    select if(
        coins_then.known_coins = 0 or coins_then.is_heard or given is null,
        given,
        error(regexp_replace(
            concat(
                'coin ''', left(given, 40), if(length(given) > 40, '…', ''), ''' is not known by then; of ',
                coins_then.known_coins, ' that are, near it: ', array_to_string(coins_then.near_coins, ', ')
            ),
            '[\p{C}\p{Zl}\p{Zp}]+', ' ', 'g'
        ))
    )
    from (
        select
            count(*) as known_coins,
            bool_or(told_coin = given) as is_heard,
            min_by(
                left(told_coin, 40),
                (-jaro_winkler_similarity(lower(told_coin), lower(left(given, 40))), told_coin),
                3
            ) as near_coins
        -- By names that no question has: an argument may be a column, called coin, of coins.
        from listed.coins as coins_told (told_coin, told_ts, told_known_ts)
        -- The moment once: what it is made of would be planned as often as it stands here.
        where
            if(coalesce(knowable, true), told_known_ts, told_ts) + to_microseconds(if(with_end, 0, 1))
            <= moment
    ) as coins_then
)
