select study_id, run_id, coin, own from study_runs order by all
