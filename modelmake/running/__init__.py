"""The run of one stage: sandbox, supervision, store of finished work, run log."""
