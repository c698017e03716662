"""`modelmake verify`: hashes every artifact again, or rebuilds and compares it."""
