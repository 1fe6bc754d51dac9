from liquidations
