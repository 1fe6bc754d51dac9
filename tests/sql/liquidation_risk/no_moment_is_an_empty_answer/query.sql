select count(*) as n from liquidation_risk('all', null)
