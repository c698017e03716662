"""The run of one stage: sandbox, supervision, finished work, run log."""
