"""`modelmake plan`: what the next `dvc repro` would do with every stage, and why."""
