"""`modelmake trace`: what a model was made of, and which models consumed a row.

git: every dvc.lock ──> history    builds, stages (lock_entries), outputs  ┐ index:
DVC cache: tables ────> row_index  rows, and facts about them              ┘ trace.sqlite
                        lineage    which stage made an input, back to the raw data

trace FILE      model_report  (acceptance: built here, or accepted)           ┐ report_text
trace --row X   row_search    which rows X means ──> row_report  outcomes     ┘ lines, drawings
"""
