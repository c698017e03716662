"""Keys: the code and the locked packages that a stage reaches, hashed."""
