"""`modelmake blame`: which of the inputs that changed between two builds moved a score.

What knows no scores is here: the inputs that differ, and builds of one commit with some inputs of the other.
The command is in stages/commands/blame.py.
"""
