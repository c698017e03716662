"""`modelmake verify` hashes or rebuilds artifacts; `modelmake accept` keeps them where new code writes the same."""
