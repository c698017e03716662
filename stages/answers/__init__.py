"""What an answer says: JSON, calls of tools, text without reasoning."""
