select * from liquidation_flow('', '2026-01-08T10:00Z', '2026-01-08T11:00Z') union all select * from liquidation_flow(null, '2026-01-08T10:00Z', '2026-01-08T11:00Z')
