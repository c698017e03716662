"""`modelmake trace`: what a model was made of, and which models consumed a row."""
