from margin_error order by coin, leverage_type
