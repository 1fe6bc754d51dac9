from liquidations order by trade_id
