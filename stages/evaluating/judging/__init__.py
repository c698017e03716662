"""Language models as judges of answers, and how far people bear them out."""
