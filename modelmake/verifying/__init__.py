"""`modelmake verify`: every artifact rehashed, or rebuilt and compared."""
